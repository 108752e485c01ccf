import { reportUncaught } from '../../lib/react/browser';

it('an error of onAcknowledge goes to the console if there is no reportError, as in jsdom', () => {
  const log = jest.spyOn(console, 'error').mockReturnValue();
  const error = new Error('the service is down');
  reportUncaught(error);
  expect(log.mock.calls).toEqual([[error]]);
  log.mockRestore();
});
