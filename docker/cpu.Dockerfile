# Etude without GPUs. From the project's folder: docker build --file docker/cpu.Dockerfile --tag etude:cpu .
FROM debian:bookworm-slim AS build
WORKDIR /src
# By itself, so that a change of the sources does not install everything again.
COPY script/setup script/setup
COPY script/requirements script/requirements
RUN script/setup
COPY . .
RUN cmake --preset release -DETUDE_TESTS=OFF \
 && script/build release etude completion \
 && cmake --install build/release --prefix /opt/etude --strip
RUN docker/collect-libraries .deps/libtorch /opt/etude

FROM debian:bookworm-slim
COPY docker/install-runtime docker/etude-node docker/sshd_config docker/two-nodes.yaml \
     /tmp/docker/
RUN /tmp/docker/install-runtime
COPY --from=build /opt/etude /opt/etude
# Containers may not read each other's memory as processes of one machine do; ranks of one node then use /dev/shm.
ENV OMPI_MCA_btl_vader_single_copy_mechanism=none
USER etude
WORKDIR /data
RUN etude --version
CMD ["etude", "--help"]
