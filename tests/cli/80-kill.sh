#!/bin/bash
# kill -9 during a collection, at a few points; `make check-long` has many.
exec bash tests/long/kill_collect.sh 20
