# The patrol in a container: no root inside, all data in /data. Built by `docker compose build`.
FROM debian:bookworm-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates chromium-headless-shell fonts-noto-cjk libatomic1 make python3 python3-venv tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --uid 10001 wangxun \
    && install -d -o wangxun -g wangxun /opt/wangxun /data

USER wangxun
WORKDIR /opt/wangxun
COPY --chown=wangxun:wangxun . .
RUN sh setup.sh run && rm -rf /home/wangxun/.cache

ENV WANGXUN_DIR=/data PATH=/opt/wangxun/.venv/bin:$PATH
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "wangxun"]
CMD ["run"]
