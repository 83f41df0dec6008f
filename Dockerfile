# The nine tools of a pipeline on Debian slim (bars is for a terminal):  docker build -t distributed-pipes .
#
# The command of a container is its pipeline, bash -o pipefail -c 'kcat-in … | tokenize | kcat-out …': there is no entry
# script. Both base images can be others; without a Docker engine bin/image builds this file on a Debian of its own.
ARG BUILD_IMAGE=swift:6.3-bookworm
ARG RUN_IMAGE=debian:bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /source
# By itself, since it changes seldom: the packages stay in the cache while the sources change.
COPY bin/setup bin/
RUN bin/setup
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
COPY bin bin
RUN bin/install /built \
    && cd /built/bin && rm bars && strip tokenize cms-topk merge-counts to-json from-json es-bulk es-load kcat-in kcat-out

FROM ${RUN_IMAGE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libcurl4 libjemalloc2 librdkafka1 libsimdjson14 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/* \
    && useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin pipes
COPY --from=build /built/bin /usr/local/bin
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /tmp
CMD ["bash"]
