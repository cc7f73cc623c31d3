# syntax=docker/dockerfile:1
# One image for the operator and for the helper in agent pods: two static programs, no shell.

# Saves a download. rust-toolchain.toml decides over the version.
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    scripts/programs /out

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
# Whom the operator trusts when it fetches skill packs.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
USER 65532:65532
# A heap for each thread would save no time, and cost memory that is never given back.
ENV MALLOC_ARENA_MAX=1
ENTRYPOINT ["/openclaw-controller"]
