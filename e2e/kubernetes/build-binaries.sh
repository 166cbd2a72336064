#!/usr/bin/env bash
# Builds kube-apiserver, kubectl and etcd from Go modules into a folder:
#   build-binaries.sh KUBERNETES_VERSION ETCD_VERSION FOLDER      (such as 1.37.2 3.7.3 ~/.cache/flyte-secrets/kubernetes/1.37.2)
# The folder appears whole or not at all, so an interrupted build is never taken for a finished one.
set -euo pipefail
kubernetes=$1 etcd=$2 folder=$3
# The compiler collects its garbage less often: a quarter less CPU time, for some hundred MB more memory.
export GOGC=${GOGC:-400}
staging=v0.${kubernetes#*.}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A module that needs the main packages, with the staging modules that kubernetes' own go.mod replaces by folders of its checkout.
mkdir -p "$work/kubernetes" "$work/etcd" "$work/bin"
cd "$work/kubernetes"
module=$(go mod download -json "k8s.io/kubernetes@v$kubernetes")
gomod=$(sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p' <<<"$module")
{
  echo "module e2e.local/kubernetes"
  grep -E '^(go|godebug) ' "$gomod"
  echo "require k8s.io/kubernetes v$kubernetes"
  sed -n "s#^\t\(k8s.io/[^ ]*\) => ./staging/.*#replace \1 => \1 $staging#p" "$gomod"
} >go.mod
cat >tools.go <<'GO'
//go:build tools

package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
GO
go mod tidy
info=k8s.io/component-base/version
CGO_ENABLED=0 go build -trimpath -o "$work/bin/" -ldflags "-s -w -X $info.gitVersion=v$kubernetes \
  -X $info.gitMajor=${kubernetes%%.*} -X $info.gitMinor=$(cut -d. -f2 <<<"$kubernetes")" \
  k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl

cd "$work/etcd"
go mod init e2e.local/etcd
go get "go.etcd.io/etcd/server/v3@v$etcd"
CGO_ENABLED=0 go build -trimpath -o "$work/bin/etcd" -ldflags "-s -w" go.etcd.io/etcd/server/v3

mkdir -p "$(dirname "$folder")"
staged=$folder.$$
mv "$work/bin" "$staged"
mv -T "$staged" "$folder" 2>/dev/null || rm -rf "$staged"
