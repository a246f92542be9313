# The command, from this checkout: for the tables (hotspan migrate) and for whoever asks the cluster. Without chdb, which is not needed
# against a server. docker build -f deploy/hotspan.Dockerfile -t hotspan:0.1.0 .
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /src
# The command and what it imports. npm compares the lock file with every workspace, so that all manifests are there.
ENV PACKAGES="otlp agent collector loadtests analyzers dashboards/grafana cli"
COPY package.json package-lock.json tsconfig.base.json ./
COPY browser-sdk/package.json browser-sdk/
COPY examples/shop/package.json examples/shop/
COPY examples/demo/package.json examples/demo/
COPY tests/package.json tests/
COPY otlp otlp/
COPY agent agent/
COPY collector collector/
COPY loadtests loadtests/
COPY analyzers analyzers/
COPY dashboards/grafana dashboards/grafana/
COPY cli cli/
COPY deploy/copy-runtime.mjs deploy/
RUN npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root $(printf -- ' -w %s' $PACKAGES)
RUN for package in $PACKAGES; do npm run build -w $package || exit 1; done
RUN node deploy/copy-runtime.mjs /out

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
COPY --from=build /out /app
# By number, so that Kubernetes can tell that it is not root.
USER 1000:1000
WORKDIR /home/node
ENTRYPOINT ["node", "/app/cli/bin/hotspan.js"]
