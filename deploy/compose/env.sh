#!/bin/sh
# Prints an .env for docker-compose.yml with secrets of your own: sh deploy/compose/env.sh talk.example.org > .env
set -eu
secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
cat <<END
# The name people reach it by.
VIVAVOCE_HOST=${1:-localhost}
POSTGRES_PASSWORD=$(secret)
VALKEY_PASSWORD=$(secret)
S3_SECRET_KEY=$(secret)
# With --profile observability; Grafana's user is admin.
GRAFANA_PASSWORD=$(secret)
VIVAVOCE_OTLP_ENDPOINT=
END
