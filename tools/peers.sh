#!/usr/bin/env bash
# peers.sh: servers that other people wrote, for the tests that hold cordon against them: AWS's Lambda
# runtime emulator, an S3 server (versitygw), DynamoDB Local and the AWS CLI. They go into BUILD/peers, each in a
# fixed version, once; afterwards nothing asks the network. A peer that can't be had leaves its reason
# in BUILD/peers/NAME.missing, which the tests print when they skip (remove the file to try again).
set -euo pipefail
cd "$(dirname "$0")/.."
peers=$(realpath -m "${BUILD:-build}")/peers
mkdir -p "$peers"

has() { command -v "$1" >/dev/null; }
missing() { # missing NAME REASON
	echo "$2" >"$peers/$1.missing"
	echo "$1 is not here: $2; its tests are skipped." >&2
}
wanted() { # wanted NAME: neither there nor tried in vain
	[ ! -e "$peers/$1" ] && [ ! -e "$peers/$1.missing" ]
}
go_is_new() {
	local version
	version=$(go env GOVERSION 2>/dev/null) || return 1
	printf '%s\n' go1.25 "$version" | sort -V -C
}
go_program() { # go_program NAME PACKAGE@VERSION
	wanted "$1" || return 0
	if ! has go || ! go_is_new; then
		missing "$1" "building it needs Go 1.25"
		return 0
	fi
	echo "Building $1 (once)"
	if ! GOFLAGS=-mod=mod GOBIN=$peers CGO_ENABLED=0 timeout 600 go install "$2" >"$peers/$1.log" 2>&1; then
		missing "$1" "it could not be built (see $peers/$1.log)"
	fi
}
python_program() { # python_program NAME PACKAGE==VERSION: an environment of its own
	wanted "$1" || return 0
	echo "Fetching $1 (once)"
	if ! python3 -m venv "$peers/$1" >"$peers/$1.log" 2>&1 ||
		! timeout 600 "$peers/$1/bin/pip" install -q "$2" >>"$peers/$1.log" 2>&1; then
		rm -rf "${peers:?}/$1"
		missing "$1" "it could not be installed (see $peers/$1.log)"
	fi
}
# All jars of an artifact and of what it needs.
java_program() { # java_program NAME GROUP ARTIFACT VERSION
	wanted "$1" || return 0
	if ! has java || ! has mvn; then
		missing "$1" "it needs java and mvn"
		return 0
	fi
	echo "Fetching $1 (once)"
	local work
	work=$(mktemp -d -p "$peers")
	cat >"$work/pom.xml" <<-POM
		<project xmlns="http://maven.apache.org/POM/4.0.0">
		  <modelVersion>4.0.0</modelVersion><groupId>cordon</groupId><artifactId>peers</artifactId><version>1</version>
		  <dependencies><dependency><groupId>$2</groupId><artifactId>$3</artifactId><version>$4</version></dependency></dependencies>
		</project>
	POM
	# The folder appears only when it is whole.
	if timeout 600 mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
		-DoutputDirectory="$work/jars" >"$peers/$1.log" 2>&1; then
		mv "$work/jars" "$peers/$1"
	else
		missing "$1" "its jars could not be fetched (see $peers/$1.log)"
	fi
	rm -rf "$work"
}

# v1.30; its tags have two parts, so only the commit can be named.
go_program aws-lambda-rie \
	github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@v0.0.0-20251201070305-f9bf927dfc8a
go_program versitygw github.com/versity/versitygw/cmd/versitygw@v1.8.0
java_program dynamodb-local software.amazon.dynamodb DynamoDBLocal 3.3.1
python_program awscli awscli==1.46.3 # digest validation, held against cordon trail verify
