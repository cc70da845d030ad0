#!/usr/bin/env python3
"""Check an export of Groundglass's audit trail. Needs Python 3 and nothing else, none of Groundglass either.

    python3 verify_audit.py EXPORT.jsonl [--heads HEADS.jsonl ...] [--partial]

EXPORT is what `manage.py audit export` wrote, HEADS are files of heads that left the server earlier: from then on no
event up to such a head can be changed, moved or removed unseen. --partial: an export that does not begin at #1.

The hash of an event is SHA-256 over these, joined by line feeds: hash of the event before it (64 zeros at #1), name of
the chain, place in it, time, body; all as they stand in the export. Exit status 1 where something does not hold.
"""

import argparse
import hashlib
import json
import sys


def lines_of(path):
    """Each line of a file, parsed."""
    with sys.stdin if path == "-" else open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield json.loads(line)
                except ValueError:
                    sys.exit(f"{path}, line {number}: this is no JSON. Nothing was checked.")


def check(path, earlier, partial):
    """Yield a sentence for each fault; at the end, what each chain holds."""
    stands: dict = {}
    begins: dict = {}
    heads: dict = {}
    told = set()
    for entry in lines_of(path):
        if "head" in entry:
            heads[entry["head"]["chain"]] = entry["head"]
            continue
        chain, seq = entry["chain"], entry["seq"]
        where = f"{chain} #{seq}"
        last, before = stands.get(chain, (0, "0" * 64))
        if chain not in stands:
            begins[chain] = seq
            if partial:
                last, before = seq - 1, entry["prev_hash"]
        if seq != last + 1:
            yield f"{where}: expected #{last + 1}; events are missing or out of order."
        if entry["prev_hash"] != before:
            yield f"{where}: does not follow the event before it."
        text = "\n".join([entry["prev_hash"], chain, str(seq), entry["at"], entry["body"]])
        if hashlib.sha256(text.encode()).hexdigest() != entry["hash"]:
            yield f"{where}: its content is not what was hashed."
        for place, digest in ((seq - 1, entry["prev_hash"]), (seq, entry["hash"])):
            if (chain, place) in earlier:
                told.add((chain, place))
                if earlier[chain, place] != digest:
                    yield f"{chain} #{place}: it is not the event that it was when heads were exported."
        stands[chain] = (seq, entry["hash"])
    for chain, head in heads.items():
        if stands.get(chain, (head["seq"], head["hash"]) if partial else None) != (head["seq"], head["hash"]):
            yield f"{chain}: its head (#{head['seq']}) is not its last event; events are missing from its end."
    for chain, place in sorted(set(earlier) - told):
        if not (partial and (chain not in begins or place < begins[chain])):
            yield f"{chain} #{place}: it was there when heads were exported, and is not here."
    for chain, (seq, digest) in sorted(stands.items()):
        print(f"{chain}: #{begins[chain]} to #{seq}, head {digest}")


def main():
    """Check what the command line names."""
    parser = argparse.ArgumentParser(description="Check an export of Groundglass's audit trail.")
    parser.add_argument("export", help="what `manage.py audit export` wrote; - for standard input")
    parser.add_argument("--heads", action="append", default=[], help="heads that left the server earlier")
    parser.add_argument("--partial", action="store_true", help="the export does not begin at #1")
    said = parser.parse_args()
    entries = (entry["head"] for path in said.heads for entry in lines_of(path) if "head" in entry)
    earlier: dict = {}
    count = 0
    for head in entries:
        if earlier.setdefault((head["chain"], head["seq"]), head["hash"]) != head["hash"]:
            sys.exit(f"{head['chain']} #{head['seq']}: the heads contradict each other. Nothing was checked.")
    for sentence in check(said.export, earlier, said.partial):
        count += 1
        print(sentence, file=sys.stderr)
    print(f"{count} faults." if count else "Every chain holds.")
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
