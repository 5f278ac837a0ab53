# One image for the edge and every service: `docker run IMAGE serve user`. It runs as nobody in particular, and writes only to
# /data and /tmp.
#
#   --build-arg EXTRAS=deepgram,azure   vendors to speak to, as in `pip install 'vivavoce[deepgram,azure]'`
#   --build-arg MODELS=no               leaves out the local speech models (90 MB), where only vendors hear and speak

FROM python:3.12.11-slim-bookworm AS build
ARG EXTRAS=""
ARG MODELS="yes"
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
RUN python -m venv /opt/vivavoce
COPY requirements/ requirements/
RUN /opt/vivavoce/bin/pip install --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY clients/python/ clients/python/
COPY mesh/ mesh/
COPY services/ services/
COPY edge/ edge/
COPY cli/ cli/
COPY deploy/ingress/ deploy/ingress/
# The versions of the extras are pinned where those of the tests are.
RUN sed -E '/--hash=/d; s/ *\\$//' requirements/dev.txt > /tmp/pinned.txt \
    && /opt/vivavoce/bin/pip install --no-build-isolation --constraint /tmp/pinned.txt ".${EXTRAS:+[$EXTRAS]}"
ENV VIVAVOCE_MODELS_DIR=/opt/vivavoce/models
RUN mkdir -p "$VIVAVOCE_MODELS_DIR" && if [ "$MODELS" = yes ]; then /opt/vivavoce/bin/viva models fetch; fi

FROM python:3.12.11-slim-bookworm
RUN useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin vivavoce \
    && install -d -o vivavoce -g vivavoce -m 0700 /data
COPY --from=build /opt/vivavoce /opt/vivavoce
ENV PATH=/opt/vivavoce/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    VIVAVOCE_MODELS_DIR=/opt/vivavoce/models
USER 10001:10001
WORKDIR /data
VOLUME /data
# What a container asks itself: whether the service it runs says SERVING. VIVAVOCE_SERVICE names it.
ENV VIVAVOCE_SERVICE=""
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["viva", "health"]
ENTRYPOINT ["viva"]
CMD ["--help"]
