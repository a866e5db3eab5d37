"""Packs an executable for Lambda: the same file makes the same archive, on any day and any machine.

Arguments: the executable, the archive to write. Prints both sizes and the archive's SHA-256.
"""

import hashlib
import json
import pathlib
import sys
import zipfile

executable, archive = map(pathlib.Path, sys.argv[1:])
code = executable.read_bytes()

entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
entry.compress_type = zipfile.ZIP_DEFLATED
entry.create_system = 3  # Unix, whose permissions follow: Lambda runs only what is executable
entry.external_attr = 0o100755 << 16

archive.parent.mkdir(parents=True, exist_ok=True)
with zipfile.ZipFile(archive, "w") as file:
    file.writestr(entry, code, compresslevel=9)

digest = hashlib.sha256(archive.read_bytes()).hexdigest()
pathlib.Path(f"{archive}.sha256").write_text(f"{digest}  {archive.name}\n", encoding="utf-8")
print(json.dumps({"unzipped": len(code), "zipped": archive.stat().st_size, "sha256": digest}))
