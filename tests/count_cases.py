"""Counts test cases in Bazel's build events (--build_event_json_file), for ./test.

Prints three numbers: passed, failed, skipped. A test program that did not pass but left no failed case behind
(a crash, a time limit, a program that was not built) counts as one failed case.
"""

import json
import sys
import urllib.parse
import xml.etree.ElementTree


def cases(path):
    """(passed, failed, skipped) of one test.xml; nothing passed when it cannot be read."""
    passed = failed = skipped = 0
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return 0, 0, 0
    for case in root.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main():
    total = [0, 0, 0]
    for line in open(sys.argv[1], encoding="utf-8"):
        event = json.loads(line)
        name = event["id"]
        if "testResult" in name:
            result = event["testResult"]
            counted = (0, 0, 0)
            for output in result.get("testActionOutput", []):
                if output["name"] == "test.xml":
                    counted = cases(urllib.parse.urlparse(output["uri"]).path)
            if result["status"] != "PASSED" and counted[1] == 0:
                counted = (counted[0], 1, counted[2])
            total = [a + b for a, b in zip(total, counted)]
        elif "targetCompleted" in name and not event.get("completed", {}).get("success"):
            # A target for another configuration, such as the fuzzers, is skipped by wildcards.
            if event.get("aborted", {}).get("reason") == "SKIPPED":
                continue
            print("not built:", name["targetCompleted"]["label"], file=sys.stderr)
            total[1] += 1
    print(*total)


if __name__ == "__main__":
    main()
