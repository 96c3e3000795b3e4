import { describe, expect, test } from 'vitest';
import { readReason } from './mail-reason.ts';

describe('the reason why a mail is not sent', () => {
  test.each([
    ['The address is not one plain e-mail address.', 'Address', null],
    ['The link in the mail ended before the mail could be sent.', 'LinkEnded', null],
    ['The mail could not be prepared; the log of the server says why.', 'Unprepared', null],
    ['The workspace is gone.', 'Workspace', null],
    ['EENVELOPE: 550 No such user here', 'Refused', '550 No such user here'],
    ['EMESSAGE: 554 Looks like spam', 'Refused', '554 Looks like spam'],
    ['EENVELOPE: 451 Greylisted', 'Later', '451 Greylisted'],
    ['EAUTH: 535 Authentication failed', 'Login', '535 Authentication failed'],
    ['ESOCKET: self-signed certificate', 'Tls', 'self-signed certificate'],
    ['ETLS: The server offers no STARTTLS', 'Tls', 'The server offers no STARTTLS'],
    ['ESOCKET: connect ECONNREFUSED 127.0.0.1:25', 'Unreachable', 'connect ECONNREFUSED 127.0.0.1:25'],
    ['ETIMEDOUT: Connection timeout', 'Unreachable', 'Connection timeout'],
    ['something nobody has seen before', 'Other', 'something nobody has seen before'],
  ])('is told from what the server kept: %s', (lastError, reason, said) => {
    expect(readReason(lastError)).toEqual({ reason, said });
  });
});
