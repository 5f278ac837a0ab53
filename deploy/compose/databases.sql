-- A database of its own for each service that keeps something; run once, when the server is set up.
CREATE DATABASE "user";
CREATE DATABASE conversation;
CREATE DATABASE history;
CREATE DATABASE media;
