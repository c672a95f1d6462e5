# docker build -t homeonet . && docker run --rm -v "$PWD/results:/homeonet/results" homeonet homeonet run massey2026 --out results/first
# docker build --target cuda -t homeonet:cuda . && docker run --rm --gpus all homeonet:cuda
ARG PYTHON=3.12
FROM python:${PYTHON}-slim-bookworm AS base
# networks are compiled as they are run; nvcc needs this compiler too
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /homeonet
COPY . .
CMD ["homeonet", "doctor"]

# nvcc and torch's CUDA come as Python packages, the driver from the host
FROM base AS cuda
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN pip install --no-cache-dir -c constraints.txt -e ".[cuda,gradient]"

FROM base AS cpu
# builds of torch without CUDA: hundreds of megabytes instead of gigabytes
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --no-cache-dir -c constraints.txt --extra-index-url "${TORCH_INDEX}" -e ".[gradient]"
