// Runs both validators of Amazon States Language. Standard input is a JSON list
// of definitions, each a text; standard output is a JSON list with, for each, the
// list of what the validators found in it.
"use strict";

const { readFileSync } = require("node:fs");
const aslValidator = require("asl-validator");
const { getLanguageService } = require("amazon-states-language-service");
const { TextDocument } = require("vscode-languageserver-textdocument");

async function findings(text) {
  const { errors } = aslValidator(JSON.parse(text), { checkPaths: true, checkArn: true });
  const document = TextDocument.create("file:///definition.asl.json", "asl", 1, text);
  const service = getLanguageService({});
  const diagnostics = await service.doValidation(document, service.parseJSONDocument(document));
  return [
    ...errors.map((error) => `asl-validator: ${error["Error code"]}: ${error.Message}`),
    ...diagnostics.map((d) => `amazon-states-language-service: line ${d.range.start.line + 1}: ${d.message}`),
  ];
}

async function main() {
  const found = [];
  for (const text of JSON.parse(readFileSync(0, "utf8"))) {
    found.push(await findings(text));
  }
  console.log(JSON.stringify(found));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
