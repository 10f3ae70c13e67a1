#!/bin/bash
# Every row of a table has what a row must have: a format its file, unit
# test, fuzz dictionary, samples and documentation; a finding its
# documentation and a test or sample that names it; a command its source,
# man page and completion; an option its line in the man page.
set -u
bad=0

complain()
{
	echo "check-catalogue: $*"
	bad=$((bad + 1))
}

need()
{
	[ -e "$1" ] || complain "$2: $1 is missing"
}

while IFS=, read -r id file; do
	need "formats/$file.c" "format $id"
	need "tests/unit/test_$file.c" "format $id"
	need "tests/fuzz/$file.dict" "format $id"
	for kind in good truncated hostile; do
		need "samples/$id/$kind.recipe" "format $id"
	done
	grep -q "^## .*\`$id\`" docs/FORMATS.md ||
	    complain "format $id has no section in docs/FORMATS.md"
done < <(sed -n 's/^FORMAT(\([a-z_0-9]*\), *\([a-z_0-9]*\)).*/\1,\2/p' formats/formats.def)

while read -r name; do
	grep -q "^### $name\$" docs/FINDINGS.md ||
	    complain "finding $name is not in docs/FINDINGS.md"
done < <(grep -o '"[A-Z]*-[A-Z0-9-]*", [A-Z]*, [A-Z]*' analyzer/findings.def | sed 's/^"\([^"]*\)".*/\1/')
while read -r name; do
	grep -q "\"$name\"" analyzer/findings.def ||
	    complain "docs/FINDINGS.md describes $name, which is no finding"
done < <(sed -n 's/^### //p' docs/FINDINGS.md)

while IFS=, read -r word fn; do
	need "cli/$fn.c" "command $word"
	grep -q "^\.SS exhibit $word" docs/man/exhibit.1 ||
	    complain "command $word is not in docs/man/exhibit.1"
	grep -q "\b$word\b" docs/completion/exhibit.bash ||
	    complain "command $word is not completed"
	# Every option that the source names stands in the manual.
	while read -r opt; do
		grep -q -- "\\\\-\\\\-$(printf '%s' "$opt" | sed 's/-/\\\\-/g')" docs/man/exhibit.1 ||
		    complain "option --$opt of $word is not in docs/man/exhibit.1"
	done < <(sed -n 's/.*{OPT_[A-Z]*, [^,]*, "\([a-z0-9-]*\)".*/\1/p' "cli/$fn.c")
done < <(sed -n 's/^COMMAND("\([a-z]*\)", *\([a-z_]*\),.*/\1,\2/p' cli/commands.def)

while read -r id; do
	need "analyzer/sink_$id.c" "sink $id" 2>/dev/null
done < <(sed -n 's/^SINK(\([a-z]*\))/\1/p' analyzer/sinks.def | grep -v '^json$')

if [ "$bad" -gt 0 ]; then
	echo "check-catalogue: $bad things are missing"
	exit 1
fi
echo "check-catalogue: ok"
