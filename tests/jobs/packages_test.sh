#!/usr/bin/env bash
# jobs/packages.txt is well-formed, and every package in it exists.
source "$(dirname "$0")/expect.sh"
list=$repository/jobs/packages.txt

run grep -nvE '^(#.*|\[(run|tests|bench|box|simulate)\]|[a-z0-9][a-z0-9.+-]+( +#.*)?|)$' "$list"
expect "every line is a comment, a section or a package" exited_with 1

mapfile -t packages < <(sed -E '/^\[/d; s/#.*//; s/ +$//; /^$/d' "$list")
expect "there are packages" test "${#packages[@]}" -gt 10
run eval 'printf "%s\n" "${packages[@]}" | sort | uniq -d'
expect "no package stands twice" test -z "$output"
for section in run tests bench box simulate; do
  run grep -c "^\[$section\]$" "$list"
  expect "the section $section stands once" test "$output" = 1
done

if [[ ${1:-} == --exist ]]; then
  command -v apt-cache > /dev/null || skip "no apt here to ask whether the packages exist"
  # Debian's lists are absent where `apt-get update` has never run.
  [[ -n $(apt-cache policy libeigen3-dev) ]] || skip "apt has no package lists here (apt-get update was not run)"
  for package in "${packages[@]}"; do
    run apt-cache policy "$package"
    expect "$package can be had" grep -qE '^  (Candidate|Installed): [^(]' <<< "$output"
  done
fi
finish
