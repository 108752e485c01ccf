// Where a form asks for a security key: has it answer, puts the answer into the form, and sends it
// like any other form.
'use strict';

(() => {
  const { browserSupportsWebAuthn, startAuthentication, startRegistration } =
    window.SimpleWebAuthnBrowser;
  const button = document.querySelector('[data-security-key]');
  const error = document.getElementById('key-error');

  // Not hidden: what a description refers to is read out all the same.
  document.getElementById('key-hint').remove();

  function say(text) {
    error.textContent = text;
    error.hidden = text === '';
  }

  function wordsFor({ name }) {
    if (name === 'InvalidStateError') return 'This security key is in use already.';
    if (name === 'SecurityError') return 'Security keys do not work at this address.';
    return 'The security key did not answer, or is not one of this account. Try again.';
  }

  if (!browserSupportsWebAuthn()) {
    say('This browser knows no security keys, or this page did not come over TLS.');
    return;
  }
  button.disabled = false;
  button.form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    say('');
    const ask = button.dataset.securityKey === 'add' ? startRegistration : startAuthentication;
    try {
      const answer = await ask({ optionsJSON: JSON.parse(button.dataset.options) });
      button.form.elements.response.value = JSON.stringify(answer);
      button.form.submit();
    } catch (thrown) {
      say(wordsFor(thrown));
      button.disabled = false;
    }
  });
})();
