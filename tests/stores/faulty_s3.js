// The lab's S3 store; while the file `answer` holds an HTTP status, requests for WAL are answered with
// it. usage: node faulty_s3.js LAB_SCRIPT DIRECTORY-OF-S3RVER LAB
const fs = require('fs');
const [script, module_directory, lab] = process.argv.slice(2);
const S3rver = require(module_directory);
const run = S3rver.prototype.run;
S3rver.prototype.run = function (...parameters) {
  this.middleware.unshift(async (context, next) => {
    const file = `${lab}/answer`;
    const status = fs.existsSync(file) ? Number(fs.readFileSync(file)) : 0;
    const wal = /archive\/main\/[^/]*\/[0-9A-F]{16}\//.test(decodeURIComponent(context.url));
    if (!status || !wal) return next();
    context.status = status;
    context.body = '<Error><Code>Injected</Code></Error>';
  });
  return run.apply(this, parameters);
};
process.argv.splice(2, 1);
require(script);
