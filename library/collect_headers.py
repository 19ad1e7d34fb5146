"""Copies headers, and all that they include of this tree, into a folder from which they can be installed.

  collect_headers.py FOLDER HEADER...

Within the tree a header is included as "client/x.h". Elsewhere such a name might be somebody's own, so what is installed
says "sockgate/client/x.h". What lies in library/ is on top: <sockgate/sockgate.h>.
"""

import os
import re
import sys

INCLUDE = re.compile(r'^(#include ")((?:broker|client|confine|library|proto)/[^"]+)(")', re.M)


def place(path):
    return path[len("library/"):] if path.startswith("library/") else path


def main():
    folder, waiting = sys.argv[1], sys.argv[2:]
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for match in INCLUDE.finditer(text):
            if match.group(2) not in seen:
                seen.add(match.group(2))
                waiting.append(match.group(2))
        out = os.path.join(folder, place(path))
        os.makedirs(os.path.dirname(out), exist_ok=True)
        with open(out, "w", encoding="utf-8") as file:
            file.write(INCLUDE.sub(lambda match: f"{match[1]}sockgate/{place(match[2])}{match[3]}", text))


if __name__ == "__main__":
    main()
