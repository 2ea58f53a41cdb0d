# For the scenarios, for psql and for a look around: set -a; . environment
LAB_DIRECTORY=@directory@
LAB_N1=https://@n1_address@:@n1_rest_port@
LAB_N2=https://@n2_address@:@n2_rest_port@
LAB_N3=https://@n3_address@:@n3_rest_port@
LAB_HAPROXY_HOST=@haproxy_address@
LAB_HAPROXY_PORT=@haproxy_port@
LAB_STANDBYS_PORT=@haproxy_standbys_port@
LAB_STATISTICS_PORT=@haproxy_statistics_port@
LAB_ETCD=@etcd_address@:@etcd_port@
LAB_S3=@s3_address@:@s3_port@
LAB_REPOSITORIES="@repositories@"
PGPASSFILE=@directory@/pgpass
