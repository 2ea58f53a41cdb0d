-- The workload before the backup that drills restore: changes pages, deletes rows.
\connect shop
update sales.orders set amount = amount + 1 where id % 5 = 0;
delete from sales.orders where id % 11 = 0;
vacuum sales.orders;
update sales.journal set words = 'changed ' || words where entry % 7 = 0;
update sales.readings set taken = taken + 10000 where taken % 3 = 0;
checkpoint;
