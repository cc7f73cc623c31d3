# What the scripts share; sourced, with the top of the repository as the working directory.
# shellcheck shell=bash

readonly chart=charts/openclaw-operator
readonly cluster=openclaw-controller/tests/cluster
# Outside target/: what is in there is built once per version.
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/openclaw-operator"

# A Kubernetes API server with nodes on which pods only claim to run, or the cluster that KUBECONFIG
# names, with the chart installed but no operator running. It goes when this shell ends.
bring_up_cluster() {
    # Of this shell: a command substitution has a process of its own.
    local owner=$BASHPID
    install_helm
    if [[ -z "${KUBECONFIG:-}" ]]; then
        command -v openssl >/dev/null || install_packages openssl
        cluster_folder=$(mktemp -d)
        trap take_down_cluster EXIT
        "$cluster/build" control-plane >/dev/null
        KUBECONFIG=$("$cluster/up" --owner "$owner" fake "$cluster_folder/cluster")
        export KUBECONFIG OPENCLAW_AUDIT_LOG="$cluster_folder/cluster/log/audit.log"
    fi
    helm upgrade --install openclaw-operator "$chart" --namespace openclaw-operator-system \
        --create-namespace --set replicaCount=0 >/dev/null
}

take_down_cluster() {
    "$cluster/down" "$cluster_folder/cluster"
    rm -rf "$cluster_folder"
}

require_go() {
    if ! command -v go >/dev/null; then
        echo "Go is missing: Helm and Kubernetes are built with it, see https://go.dev/dl" >&2
        exit 1
    fi
}

install_helm() {
    local folder
    folder=$("$cluster/build" helm)
    PATH="$folder:$PATH"
}

install_packages() {
    local as_root=() log
    ((EUID == 0)) || as_root=(sudo)
    log=$(mktemp)
    if ! {
        "${as_root[@]}" apt-get update &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
                apt-get install --yes --no-install-recommends "$@"
    } >"$log" 2>&1; then
        cat "$log" >&2
        echo "could not install $*: install them by hand" >&2
        exit 1
    fi
    rm "$log"
}

install_tools() {
    local missing=() channel
    command -v cc >/dev/null || missing+=(gcc libc6-dev)
    command -v pkg-config >/dev/null || missing+=(pkg-config)
    command -v git >/dev/null || missing+=(git)
    command -v diff >/dev/null || missing+=(diffutils)
    ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
    if ! command -v cargo >/dev/null && [[ -x "$HOME/.cargo/bin/cargo" ]]; then
        PATH="$HOME/.cargo/bin:$PATH"
    fi
    # rustup's cargo is there before the toolchain is, and a toolchain may lack components.
    if ! { cargo --version && cargo clippy --version && cargo fmt --version; } >/dev/null 2>&1; then
        if ! command -v rustup >/dev/null; then
            echo "Rust is missing: install rustup, see https://rustup.rs" >&2
            exit 1
        fi
        channel=$(sed --quiet 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
        rustup toolchain install "$channel" --profile minimal --component clippy,rustfmt
    fi
}
