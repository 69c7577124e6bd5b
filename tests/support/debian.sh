#!/bin/sh
# Installs the Debian packages of debian.txt whose programs are missing, when run as root on a Debian system.
# Anywhere else it only says what is missing; it never fails: the tests that need a program say so themselves.
set -eu

missing=
while read -r program package _; do
  case $program in '' | '#'*) continue ;; esac
  command -v "$program" >/dev/null 2>&1 || missing="$missing $package"
done <"$(dirname "$0")/debian.txt"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Missing programs; the tests that need them will say so. On Debian: sudo apt-get install$missing"
  exit 0
fi

echo "Installing Debian packages:$missing"
log=$(mktemp)
# RUNLEVEL=1 keeps the packages from starting their services: the tests start their own.
if apt-get update >"$log" 2>&1 &&
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends $missing >>"$log" 2>&1; then
  rm -f "$log"
else
  tail -n 20 "$log"
  echo "Could not install$missing (the whole log: $log); the tests that need them will say so."
fi
