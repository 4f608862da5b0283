#!/bin/bash
# Starts polymq the way test set-ups start LocalStack and ElasticMQ: the same script, ports, folders of init
# scripts and configuration file. Arguments are added to `polymq serve`.
set -euo pipefail

: "${POLYMQ_LISTEN:=:4566,:9324,:9325}"
: "${POLYMQ_DATA_DIR:=/var/lib/polymq}"
: "${POLYMQ_DURABILITY:=none}"
: "${POLYMQ_TEST_MODE:=true}"
: "${POLYMQ_INIT_DIR:=/etc/localstack/init}"
: "${POLYMQ_REGION:=${DEFAULT_REGION:-${AWS_DEFAULT_REGION:-us-east-1}}}"
export POLYMQ_LISTEN POLYMQ_DATA_DIR POLYMQ_DURABILITY POLYMQ_TEST_MODE POLYMQ_INIT_DIR POLYMQ_REGION
if [[ -z ${POLYMQ_ELASTICMQ_CONFIG:-} && -f /opt/elasticmq.conf ]]; then
  export POLYMQ_ELASTICMQ_CONFIG=/opt/elasticmq.conf
fi
exec polymq serve "$@"
