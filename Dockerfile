# Parley's image: every process and every command of it. docs/docker.md says how it is used.

ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
# For a mirror of the package index: docker build --build-arg PIP_INDEX_URL=...
# It stays in this stage, and so out of the image and its history.
ARG PIP_INDEX_URL
ARG PIP_TRUSTED_HOST
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements.lock docker/pins.py ./
RUN python pins.py requirements.lock "parley (pyproject.toml)" > runtime.lock \
 && python pins.py requirements.lock hatchling > hatchling.lock \
 && python -m venv --without-pip /opt/parley \
 && pip --python /opt/parley/bin/python install --only-binary :all: --require-hashes -r runtime.lock \
 && pip install --only-binary :all: --require-hashes -r hatchling.lock
COPY pyproject.toml README.md LICENSE ./
COPY parley parley
COPY utils utils
COPY worlds worlds
COPY bots bots
COPY orchestrator orchestrator
COPY analytics analytics
COPY personas personas
COPY prompts prompts
COPY scenarios scenarios
RUN pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
 && pip --python /opt/parley/bin/python install --no-deps wheels/*.whl

FROM ${PYTHON_IMAGE}
# Folders that volumes are mounted at: a new volume takes over their owner.
RUN groupadd --gid 10001 parley \
 && useradd --uid 10001 --gid parley --no-create-home --home-dir /tmp --shell /usr/sbin/nologin parley \
 && install --directory --owner parley --group parley --mode 0755 \
      /prepare/secrets /prepare/secrets/redis /prepare/secrets/orchestrator /prepare/secrets/host \
      /prepare/secrets/person /prepare/secrets/recorder /prepare/secrets/reader \
      /prepare/runs /prepare/recordings /prepare/models
COPY --from=build /opt/parley /opt/parley
COPY docker/as-owner docker/alive /usr/local/bin/
ENV PATH=/opt/parley/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
ENTRYPOINT ["parley"]
CMD ["--help"]
ARG PARLEY_VERSION=0.1.0
LABEL org.opencontainers.image.title="Parley" \
      org.opencontainers.image.version="${PARLEY_VERSION}" \
      org.opencontainers.image.licenses="MIT"
