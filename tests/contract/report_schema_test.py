#!/usr/bin/env python3
"""The golden reports and map against their schemas in docs/, the JUnit ones against an XML parser.

usage: report_schema_test.py SOURCE_DIRECTORY
Exit code 77 (skipped) without python3-jsonschema, unless PGREHEARSE_REQUIRE=all.
"""

import copy
import json
import os
import pathlib
import sys
import xml.etree.ElementTree

source = pathlib.Path(sys.argv[1])
golden = source / "tests" / "golden"
try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("python3-jsonschema is missing; ci/setup --tests installs it")
    sys.exit(1 if os.environ.get("PGREHEARSE_REQUIRE") == "all" else 77)

failures = []


def expect(condition, message):
    if not condition:
        failures.append(message)


def validator_of(name):
    schema = json.loads((source / "docs" / name).read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


validator = validator_of("report.schema.json")


def accepted(report):
    return not list(validator.iter_errors(report))


reports = sorted(golden.glob("report_*.json"))
expect(len(reports) >= 4, f"only {len(reports)} golden reports in {golden}")
for path in reports:
    for error in validator.iter_errors(json.loads(path.read_text())):
        failures.append(f"{path.name}: {error.json_path}: {error.message}")

# The schema must reject invalid reports: each key in turn missing, added or of another type, at
# every level of a full report.
full = json.loads((golden / "report_failed.json").read_text())
open_maps = ("tools", "details")
# Records of older releases do not have these.
newer = ("archive", "target_time", "utc_offset", "tables", "tables_omitted")


def places(value, path=()):
    if isinstance(value, dict):
        for key in value:
            yield path + (key,)
            yield from places(value[key], path + (key,))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, path + (index,))


def changed(path, change):
    report = copy.deepcopy(full)
    parent = report
    for step in path[:-1]:
        parent = parent[step]
    change(parent, path[-1])
    return report


tried = 0
for place in places(full):
    if any(name in place[:-1] for name in open_maps):
        continue
    tried += 1
    expect(place[-1] in newer or not accepted(changed(place, lambda p, k: p.pop(k))),
           f"accepted without {place}")
    expect(not accepted(changed(place, lambda p, k: p.update({k: {"odd": 1}})))
           or place[-1] in open_maps, f"accepted an odd value of {place}")
    expect(not accepted(changed(place, lambda p, k: p.update({k + "_": 1}))),
           f"accepted an unknown key next to {place}")
expect(tried > 60, f"only {tried} keys were tried")

# The map's schema allows additional keys; those that it names are required.
map_validator = validator_of("map.schema.json")
recovery_map = json.loads((golden / "map_damaged.json").read_text())
for error in map_validator.iter_errors(recovery_map):
    failures.append(f"map_damaged.json: {error.json_path}: {error.message}")
map_keys = 0
full = recovery_map
for place in places(recovery_map):
    if not isinstance(place[-1], str):
        continue
    map_keys += 1
    without = changed(place, lambda p, k: p.pop(k))
    expect(list(map_validator.iter_errors(without)), f"map accepted without {place}")
    odd = changed(place, lambda p, k: p.update({k: {"odd": 1}}))
    expect(list(map_validator.iter_errors(odd)), f"map accepted an odd value of {place}")
expect(map_keys > 60, f"only {map_keys} keys of the map were tried")

suites = sorted(golden.glob("report_*.xml"))
expect(len(suites) >= 3, f"only {len(suites)} golden JUnit files in {golden}")
for path in suites:
    suite = xml.etree.ElementTree.parse(path).getroot().find("testsuite")
    cases = suite.findall("testcase")
    expect(len(cases) == int(suite.get("tests")) > 0, f"{path.name}: wrong number of tests")
    for element, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        found = sum(1 for case in cases if case.find(element) is not None)
        expect(found == int(suite.get(attribute)), f"{path.name}: wrong number of {attribute}")

for failure in failures:
    print(failure)
print(f"{len(reports)} reports, {tried} keys, a map, {map_keys} keys, {len(suites)} JUnit files, {len(failures)} failures")
sys.exit(1 if failures else 0)
