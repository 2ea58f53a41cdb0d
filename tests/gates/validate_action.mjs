// usage: node validate_action.mjs ACTION_VALIDATOR action|workflow FILE; prints the errors as JSON
import fs from "node:fs";
import { createRequire } from "node:module";

const [validator, kind, file] = process.argv.slice(2);
const { validateAction, validateWorkflow } = createRequire(import.meta.url)(validator);
const validate = kind === "action" ? validateAction : validateWorkflow;
console.log(JSON.stringify(validate(fs.readFileSync(file, "utf8")).errors));
