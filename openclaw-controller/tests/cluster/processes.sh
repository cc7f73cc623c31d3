# shellcheck shell=bash
# The processes of a cluster, for `up` and `down`. Sourced; expects to be in the cluster's folder.

# Starts NAME COMMAND... in the background, out of reach of the terminal and of this script's end.
start() {
    local name=$1
    shift
    rm --force "run/$name.pid"
    (
        # Written before the program runs: whatever happens to this script, `down` finds it.
        note "$name" "$BASHPID" || exit
        exec setsid -- "$@" >"log/$name.log" 2>&1 </dev/null
    ) &
    while [[ ! -s "run/$name.pid" ]] && kill -0 $! 2>/dev/null; do
        sleep 0.01
    done
    # Or the shell would tell of its end.
    disown $!
}

# Notes that NAME is the process ID.
note() {
    echo "$2 $(started_at "$2")" >"run/$1.pid"
}

# Prints the process id of NAME while it runs. An id is used again for other programs; with the
# time of its start it is not.
running() {
    local id since
    [[ -s "run/$1.pid" ]] && read -r id since <"run/$1.pid" || return 1
    [[ -n "$since" && "$(started_at "$id")" == "$since" ]] && echo "$id"
}

# Prints when the process began, in clock ticks since the machine did; nothing if it has ended.
started_at() {
    local line fields
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    # After the name, which may hold anything; then the state comes first.
    read -ra fields <<<"${line##*) }"
    # A zombie has ended, its parent has just not looked yet.
    [[ "${fields[0]}" == Z ]] || echo "${fields[19]}"
}
