#!/bin/sh
# Standardises a file in place, kills everything half-way, resumes, and compares
# with an undisturbed run. Arguments: the command, and a directory for 1 GiB.
set -eu
gangsaw=$1 dir=$2
formula='(x - mean(x)) / std(x)'
mkdir -p "$dir"
x=$dir/killed.npy y=$dir/undisturbed.npy
rm -f "$x" "$x.gangsaw"
"$gangsaw" gen "$x" --shape 67108864
cp "$x" "$y"

echo "== undisturbed: eval '$formula' --in-place"
"$gangsaw" eval "$formula" "$y" --in-place

echo "== the same, and everything is killed half-way"
"$gangsaw" eval "$formula" "$x" --in-place --progress none &
supervisor=$!
until [ -e "$x.gangsaw" ]; do
	kill -0 $supervisor 2>/dev/null || { echo "it ended before it began to change anything" >&2; exit 1; }
done
sleep 0.1
workers=$(cat /proc/$supervisor/task/*/children)
kill -9 $supervisor $workers
wait $supervisor 2>/dev/null || true
[ -e "$x.gangsaw" ] || { echo "it was done already: run again" >&2; exit 1; }
cmp "$x" "$y" >/dev/null && { echo "it was done already: run again" >&2; exit 1; }
"$gangsaw" eval 'mean(x), std(x)' "$x"

echo "== resume"
"$gangsaw" resume "$x"
"$gangsaw" eval 'mean(x), std(x)' "$x"
sha256sum "$y" "$x"
cmp "$x" "$y" && echo "the same bytes as undisturbed"
rm -f "$x" "$y"
