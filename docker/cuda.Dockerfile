# Etude for NVIDIA GPUs; the machine brings the driver and NVIDIA's container toolkit.
# From the project's folder: docker build --file docker/cuda.Dockerfile --tag etude:cuda .
FROM debian:bookworm-slim AS build
WORKDIR /src
# By itself, so that a change of the sources does not install everything again.
COPY script/setup script/setup
COPY script/requirements script/requirements
RUN script/setup --cuda
COPY . .
RUN cmake --preset cuda -DETUDE_TESTS=OFF \
 && script/build cuda etude completion \
 && cmake --install build/cuda --prefix /opt/etude --strip
RUN docker/collect-libraries .deps/libtorch /opt/etude

FROM debian:bookworm-slim
COPY docker/install-runtime docker/etude-node docker/sshd_config docker/two-nodes.yaml \
     /tmp/docker/
RUN /tmp/docker/install-runtime
COPY --from=build /opt/etude /opt/etude
# Containers may not read each other's memory as processes of one machine do; ranks of one node then use /dev/shm.
ENV OMPI_MCA_btl_vader_single_copy_mechanism=none
# What NVIDIA's container toolkit is to hand in: the driver's libraries for computing, and nvidia-smi.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER etude
WORKDIR /data
RUN etude --version
CMD ["etude", "--help"]
