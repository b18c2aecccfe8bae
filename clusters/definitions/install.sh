#!/usr/bin/env bash
# Run once on each new node of a SkyPilot job (Debian or Ubuntu): builds etude from the sources in /etude/source.tar.gz.
set -euo pipefail
mkdir -p ~/etude
tar --extract --file /etude/source.tar.gz --directory ~/etude
cd ~/etude
script/setup
cmake --preset release -DETUDE_TESTS=OFF
script/build release etude
sudo ln --symbolic --force "$PWD/build/release/etude" /usr/local/bin/etude
