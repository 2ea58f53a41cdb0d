// s3rver with the lab's certificate and key pair instead of its own.
// usage: node s3.js DIRECTORY-OF-S3RVER LAB
const [module_directory, lab] = process.argv.slice(2);
const fs = require('fs');
const S3rver = require(module_directory);
const account = require(`${module_directory}/lib/models/account`);
const options = JSON.parse(fs.readFileSync(`${lab}/s3/s3.json`));

account.DUMMY_ACCOUNT.revokeAccessKey('S3RVER');
account.DUMMY_ACCOUNT.createKeyPair(options.key, options.secret);
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
