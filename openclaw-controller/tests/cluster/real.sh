# shellcheck shell=bash
# What makes a cluster real: a network of its own, a node that runs pods, and their end.
# Sourced by `up` and `down` after processes.sh.

# Addresses that RFC 2544 sets aside for benchmarks, which no other network should use. A cluster
# has a number: pods are in 198.18.NUMBER.0/24, services in the first half of 198.19.NUMBER.0/24,
# and the last four of it are the cable between the host and the node.
readonly clusters=256

# More than one test asks for. Each is a folder, and takes nothing until something is written.
readonly volumes=32
# Of one more, of another class, that a test may fill.
readonly small_volume=64Mi

# Where the kubelet and containerd write outside the cluster's folder, whatever they are told. On
# the node there are empty file systems instead.
readonly hidden=(/run/containerd /var/lib/cni /var/lib/kubelet /var/log/containers)

check_tools_of_real() {
    local name missing=()
    for name in containerd containerd-shim-runc-v2 ctr bridge host-local loopback portmap pause; do
        [[ -x "$bin/$name" ]] || refuse "$bin has no $name: run $here/build node"
    done
    ((EUID == 0)) || refuse "a real cluster needs root"
    command -v ip >/dev/null || missing+=(iproute2)
    command -v iptables >/dev/null || missing+=(iptables)
    command -v conntrack >/dev/null || missing+=(conntrack)
    command -v runc >/dev/null || missing+=(runc)
    command -v mount >/dev/null || missing+=(mount)
    ((${#missing[@]} == 0)) || refuse "missing: apt-get install ${missing[*]}"
}

# A network namespace that a cable joins to the host. The host reaches the API server, services and
# pods. From inside, nothing is reached: there is no route but to the host, and no new connection.
network_of_real() {
    local number chain peer
    network=$(basename "$dir")
    [[ ! -e "/run/netns/$network" ]] || refuse "there is a network namespace $network already"
    echo "$network" >network
    ip netns add "$network"
    # `ip netns exec` would mount /sys anew and hide the control groups.
    inside=(nsenter "--net=/run/netns/$network")
    # Whoever makes the interface has the number.
    for ((number = 0; number < clusters; number++)); do
        ! ip link add "openclaw-$number" type veth peer name host netns "$network" 2>/dev/null ||
            break
    done
    ((number < clusters)) || refuse "no number is left for a cluster, see: ip link show type veth"
    echo "openclaw-$number" >control-group
    pods=198.18.$number.0/24
    pods_of_node=24
    controllers='*'
    services=198.19.$number.0/25
    first_service=198.19.$number.1
    peer=198.19.$number.253
    address=198.19.$number.254
    advertised=$address
    port=6443

    ip address add "$peer/30" dev "openclaw-$number"
    ip link set "openclaw-$number" up
    ip route add "$pods" via "$address"
    ip route add "$services" via "$address"
    "${inside[@]}" ip link set lo up
    "${inside[@]}" ip address add "$address/30" dev host
    "${inside[@]}" ip link set host up
    # Connections to a service need some route before they are sent to a pod instead.
    "${inside[@]}" ip route add "$services" dev host src "$address"
    "${inside[@]}" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    for chain in OUTPUT FORWARD; do
        "${inside[@]}" iptables --append "$chain" --destination "$peer" \
            --match conntrack --ctstate NEW --jump REJECT
    done
}

nodes_of_real() {
    mkdir cni containerd kubelet
    make_control_group
    write_node_configuration
    start_on_node containerd "$bin/containerd" --config containerd/config.toml
    wait_for containerd "$bin/ctr" --address "$dir/containerd/containerd.sock" version
    # A node without a registry has no image but those that it is given.
    mkdir pause
    cp "$bin/pause" pause/
    "$here/image" "$dir" localhost/pause:1 pause /pause
    rm --recursive pause
    start_on_node kubelet "$bin/kubelet" --kubeconfig kubeconfig --config kubelet/config.yaml \
        --root-dir "$dir/kubelet/root" --cert-dir "$dir/kubelet/pki" \
        --node-ip "$address" --hostname-override node-1
    start_on_node kube-proxy "$bin/kube-proxy" --config proxy.yaml
    make_volumes
    kubectl wait --for create node/node-1 --timeout "${patience}s" >log/wait.log
    kubectl wait --for condition=Ready node --all --timeout "${patience}s" >>log/wait.log
}

# Starts NAME COMMAND... on the node. containerd, the first, makes the mounts that the others join.
# They end with the last process, and deleting the cluster's folder does not reach into them.
start_on_node() {
    local name=$1 first mounts=(unshare --mount) over=("${hidden[@]}")
    shift
    if first=$(running containerd); then
        mounts=(nsenter "--mount=/proc/$first/ns/mnt" "--wd=$dir")
        over=()
    fi
    PATH="$bin:$PATH" start "$name" "${inside[@]}" "${mounts[@]}" \
        "$here/on-node" "$node_processes" "${over[@]}" -- "$@"
}

# One group for all that runs on the node, so that `down` finds the containers. Its own programs
# are in a group below: in version 2, a group with groups below holds no processes.
make_control_group() {
    local group root=/sys/fs/cgroup file controller
    group=$(<control-group)
    if [[ -f "$root/cgroup.controllers" ]]; then
        for controller in $(<"$root/cgroup.controllers"); do
            # Not all can be handed down everywhere, and not all are needed.
            { echo "+$controller" >"$root/cgroup.subtree_control"; } 2>/dev/null || true
        done
        mkdir --parents "$root/$group/node"
        node_processes=$root/$group/node/cgroup.procs
        return
    fi
    # Version 1: a hierarchy per controller.
    for file in "$root"/*/tasks; do
        mkdir --parents "$(dirname "$file")/$group"
    done
    # Without processors and memory, a group takes no process.
    for file in cpuset.cpus cpuset.mems; do
        cat "$root/cpuset/$file" >"$root/cpuset/$group/$file"
    done
    mkdir --parents "$root/pids/$group/node"
    node_processes=$root/pids/$group/node/cgroup.procs
}

write_node_configuration() {
    cat >cni/10-bridge.conflist <<EOF
{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [
    {
      "type": "bridge",
      "bridge": "pods",
      "isGateway": true,
      "hairpinMode": true,
      "ipam": {
        "type": "host-local",
        "ranges": [[{"subnet": "$pods"}]],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
EOF
    cat >containerd/config.toml <<EOF
version = 3
root = "$dir/containerd/root"
state = "$dir/containerd/state"
[grpc]
  address = "$dir/containerd/containerd.sock"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "localhost/pause:1"
[plugins.'io.containerd.cri.v1.runtime']
  # Lowering the score takes a capability that a container around all this may lack.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["$bin"]
    conf_dir = "$dir/cni"
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      SystemdCgroup = false
EOF
    cat >kubelet/config.yaml <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $dir/pki/ca.crt}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$dir/containerd/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$(<control-group)
podLogsDir: $dir/kubelet/pod-logs
volumePluginDir: $dir/kubelet/plugins
# Nobody answers there, yet the kubelet complains about every pod without.
clusterDNS: [${services%.*}.10]
resolvConf: ""
clusterDomain: cluster.local
# As it comes: version 1 of control groups, swap, little space on the disk, no OOM scores to set.
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
evictionHard: {}
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
featureGates: {KubeletInUserNamespace: true}
EOF
    cat >proxy.yaml <<EOF
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $dir/kubeconfig}
mode: iptables
clusterCIDR: $pods
hostnameOverride: node-1
# Limits of the whole host are left alone.
conntrack: {maxPerCore: 0, min: 0}
EOF
}

# Folders as volumes of the default storage class, and memory as one of the class `small`. Nobody
# makes more or empties one for the next claim. Local volumes, because the kubelet gives them to the
# pod's fsGroup. Root owns them as it owns a new file system: the mode is one of the two usual ones.
make_volumes() {
    local number modes=(755 770)
    mkdir volumes
    for ((number = 0; number < volumes; number++)); do
        mkdir --mode "${modes[number % 2]}" "volumes/$number"
    done
    mkdir volumes/small
    nsenter "--mount=/proc/$(running containerd)/ns/mnt" mount --types tmpfs \
        --options "mode=755,size=${small_volume%i}" small "$dir/volumes/small"
    {
        storage_class local true
        for ((number = 0; number < volumes; number++)); do
            persistent_volume local "$number" 100Gi
        done
        storage_class small false
        persistent_volume small small "$small_volume"
    } | kubectl create --validate=false --filename - >log/volumes.log
}

# storage_class NAME IS_DEFAULT
storage_class() {
    cat <<EOF
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: $1
  annotations: {storageclass.kubernetes.io/is-default-class: "$2"}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
allowVolumeExpansion: true
EOF
}

# persistent_volume CLASS FOLDER SIZE
persistent_volume() {
    cat <<EOF
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: local-$2}
spec:
  storageClassName: $1
  capacity: {storage: $3}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  local: {path: $dir/volumes/$2}
  nodeAffinity:
    required:
      nodeSelectorTerms:
        - matchExpressions:
            - {key: kubernetes.io/hostname, operator: In, values: [node-1]}
EOF
}

# For `down`: what a real cluster has outside its folder.
remove_from_host() {
    local group network folder folders=()
    if [[ -s control-group ]]; then
        group=$(<control-group)
        for folder in /sys/fs/cgroup/"$group" /sys/fs/cgroup/*/"$group"; do
            [[ ! -d "$folder" ]] || folders+=("$folder")
        done
        if ((${#folders[@]} > 0)); then
            kill_groups "${folders[@]}"
            remove_groups "${folders[@]}"
        fi
        ! [[ -e "/sys/class/net/$group" ]] || ip link delete "$group"
    fi
    if [[ -s network ]]; then
        network=$(<network)
        ! [[ -e "/run/netns/$network" ]] || ip netns delete "$network"
    fi
}

# Until none is left: one may have started another meanwhile.
kill_groups() {
    local ids
    while true; do
        mapfile -t ids < <(find "$@" -name cgroup.procs -exec cat {} + 2>/dev/null | sort --unique)
        ((${#ids[@]} > 0)) || return 0
        kill -KILL "${ids[@]}" 2>/dev/null || true
        sleep 0.05
    done
}

# What was killed a moment ago may still be counted.
remove_groups() {
    local folder attempt
    for folder in "$@"; do
        for ((attempt = 0; attempt < 100; attempt++)); do
            ! find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || break
            sleep 0.05
        done
    done
}
