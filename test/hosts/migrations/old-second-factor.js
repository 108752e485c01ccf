// The code in the README of passport-backup-codes.
import BackupCodesStrategy from 'passport-backup-codes';
import { app, passport, users } from './yours.js';

passport.use(
  new BackupCodesStrategy(
    (user, done) => done(null, users.byId(user.id).codes),
    (user, code, done) => {
      users.setCodes(
        user.id,
        users.byId(user.id).codes.filter((value) => value !== code),
      );
      done();
    },
  ),
);
app.post('/verify-otp', passport.authenticate('backup-codes', { session: false }), (req, res) => {
  req.session.authFactors = ['password', 'backup-code'];
  res.redirect(303, '/');
});
