# syntax=docker/dockerfile:1
# One image for the operator and for the helper in agent pods: two static programs, no shell.

# Saves a download. rust-toolchain.toml decides over the version.
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
# A target that is named keeps the flags away from build scripts and macros, which cannot be static.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    target=$(rustc --print host-tuple) && \
    RUSTFLAGS="-C target-feature=+crt-static" CARGO_PROFILE_RELEASE_STRIP=symbols \
    cargo build --locked --release --target "$target" \
        --package openclaw-controller --package openclaw-cli && \
    mkdir /out && \
    cp "target/$target/release/openclaw-controller" "target/$target/release/openclaw-cli" /out/

FROM scratch
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="openclaw-operator" \
      org.opencontainers.image.description="Runs OpenClaw agents on Kubernetes" \
      org.opencontainers.image.source="https://github.com/openclaw-rs/openclaw-operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY LICENSE /LICENSE
COPY --from=build /out/ /
USER 65532:65532
ENTRYPOINT ["/openclaw-controller"]
