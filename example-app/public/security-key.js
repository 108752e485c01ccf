// For forms that need a security key: asks the key for an answer, puts it into the form, and sends
// the form as usual.
'use strict';

(() => {
  const { browserSupportsWebAuthn, startAuthentication, startRegistration } =
    window.SimpleWebAuthnBrowser;
  const button = document.querySelector('[data-security-key]');
  const error = document.getElementById('key-error');

  // Removed instead of hidden, because screen readers read hidden descriptions.
  document.getElementById('key-hint').remove();

  function showError(text) {
    error.textContent = text;
    error.hidden = text === '';
  }

  function describeError({ name }) {
    if (name === 'InvalidStateError') return 'This security key is in use already.';
    if (name === 'SecurityError') return 'Security keys do not work at this address.';
    return 'The security key did not answer, or is not one of this account. Try again.';
  }

  if (!browserSupportsWebAuthn()) {
    showError('This browser does not support security keys, or this page was not loaded over TLS.');
    return;
  }
  button.disabled = false;
  button.form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    showError('');
    const startCeremony =
      button.dataset.securityKey === 'add' ? startRegistration : startAuthentication;
    try {
      const answer = await startCeremony({ optionsJSON: JSON.parse(button.dataset.options) });
      button.form.elements.response.value = JSON.stringify(answer);
      button.form.submit();
    } catch (thrown) {
      showError(describeError(thrown));
      button.disabled = false;
    }
  });
})();
