// s3rver with the lab's certificate and key pair instead of its own.
// usage: node s3.js DIRECTORY-OF-S3RVER LAB
const [module_directory, lab] = process.argv.slice(2);
const fs = require('fs');
const S3rver = require(module_directory);
const account = require(`${module_directory}/lib/models/account`);
const options = JSON.parse(fs.readFileSync(`${lab}/s3/s3.json`));

account.DUMMY_ACCOUNT.revokeAccessKey('S3RVER');
account.DUMMY_ACCOUNT.createKeyPair(options.key, options.secret);
// s3rver 3.7.1 omits a prefix that contains only other prefixes, as in pgBackRest's archive.
const store = require(`${module_directory}/lib/stores/filesystem`).prototype;
const list = store.listObjects;
store.listObjects = async function listObjects(bucket, options) {
  const { delimiter, prefix = '' } = options;
  if (!delimiter) return list.call(this, bucket, options);
  const all = await list.call(this, bucket, { ...options, delimiter: '', maxKeys: Infinity });
  const end = (key) => key.indexOf(delimiter, prefix.length);
  const deeper = all.objects.filter(({ key }) => end(key) !== -1);
  return {
    ...all,
    objects: all.objects.filter(({ key }) => end(key) === -1),
    commonPrefixes: [...new Set(deeper.map(({ key }) => key.slice(0, end(key) + 1)))].sort(),
  };
};

new S3rver({
  address: options.address,
  port: options.port,
  directory: options.data,
  key: fs.readFileSync(`${lab}/certificates/server.key`),
  cert: fs.readFileSync(`${lab}/certificates/server.crt`),
  vhostBuckets: false,
  silent: true,
  configureBuckets: [{ name: 'lab' }],
}).run().then((address) => console.log('listening', address));
