// An app whose users have readable codes in a JSON file. Its second factor is `second-factor.js`,
// which is the old one or that of the page.
import express from 'express';
import { app, passport, users } from './yours.js';

passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id, done) => done(null, users.byId(id)));
app.use(express.urlencoded({ extended: false }), passport.session());
app.post('/login', (req, res, next) => {
  const user = users.byId(req.body.username);
  if (user === null || req.body.password !== 'correct horse') return res.status(401).end();
  req.logIn(user, (error) => (error ? next(error) : res.end()));
});
await import('./second-factor.js');
app.get('/', (req, res) =>
  res.json({ id: req.user?.id ?? null, authFactors: req.session.authFactors ?? [] }),
);
app.listen(3000);
