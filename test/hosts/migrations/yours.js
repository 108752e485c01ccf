// The users and codes of the app, in the two files that `data.js` names, so that they survive a
// restart.
import { readFileSync, writeFileSync } from 'node:fs';
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import { backupCodes, OLD } from './backup-codes.js';
import { usersFile } from './data.js';

export { backupCodes, OLD, passport };
export const app = express();
app.use(
  session({
    secret: 'a secret of thirty-two characters, or more',
    resave: false,
    saveUninitialized: false,
  }),
);

const read = () => JSON.parse(readFileSync(usersFile, 'utf8'));
const setCodes = (id, codes) =>
  writeFileSync(
    usersFile,
    JSON.stringify(read().map((user) => (user.id === id ? { ...user, codes } : user))),
  );
export const users = {
  byId: (id) => read().find((user) => user.id === id) ?? null,
  setCodes,
  forgetCodes: async (id) => setCodes(id, null),
};
export const commands = {};
