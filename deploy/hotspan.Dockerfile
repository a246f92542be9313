# The command, for the job that makes the tables and for whoever asks the cluster. chdb is not needed against a server.
FROM node:24-slim
RUN npm install --global --omit=optional hotspan
USER node
WORKDIR /home/node
ENTRYPOINT ["hotspan"]
