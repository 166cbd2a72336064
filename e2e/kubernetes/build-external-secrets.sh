#!/usr/bin/env bash
# Builds the controller of External Secrets from its Go module, with the providers that need no cloud's library:
#   build-external-secrets.sh VERSION FOLDER      (such as v0.16.2 ~/.cache/flyte-secrets/external-secrets-v0.16.2)
# With all providers it takes half an hour. The folder appears whole or not at all.
set -euo pipefail
version=$1 folder=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
module=$(go mod download -json "github.com/external-secrets/external-secrets@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$module"/{main.go,go.mod,go.sum,apis,cmd,pkg} "$work"
chmod -R u+w "$work"
cd "$work"
sed -i -E '/pkg\/provider\/(fake|kubernetes)"/!{/external-secrets\/pkg\/provider\//d}' pkg/provider/register/register.go
sed -i -E '/pkg\/generator\/(fake|password|uuid)"/!{/external-secrets\/pkg\/generator\//d}' pkg/generator/register/register.go
mkdir "$work/bin"
CGO_ENABLED=0 GOGC=${GOGC:-400} go build -trimpath -ldflags "-s -w" -o "$work/bin/external-secrets" .
mkdir -p "$(dirname "$folder")"
staged=$folder.$$
mv "$work/bin" "$staged"
mv -T "$staged" "$folder" 2>/dev/null || rm -rf "$staged"
