// All breaks, in the order of test/requirements.md.
import type { Break } from './break';
import { accountBreaks } from './accounts';
import { codeBreaks } from './codes';
import { databaseBreaks } from './databases';
import { guessingBreaks } from './guessing';
import { inputBreaks } from './input';
import { lifeCycleBreaks } from './life-cycle';
import { loginBreaks } from './login';
import { loginFlowBreaks } from './login-flow';
import { movingBreaks } from './moving';
import { restoreBreaks } from './restores';
import { sheetBreaks } from './sheet';
import { singleUseBreaks } from './single-use';
import { twoPeopleBreaks } from './two-people';

export const breaks: readonly Break[] = [
  ...codeBreaks,
  ...singleUseBreaks,
  ...guessingBreaks,
  ...inputBreaks,
  ...loginBreaks,
  ...loginFlowBreaks,
  ...lifeCycleBreaks,
  ...accountBreaks,
  ...restoreBreaks,
  ...databaseBreaks,
  ...twoPeopleBreaks,
  ...movingBreaks,
  ...sheetBreaks,
];
