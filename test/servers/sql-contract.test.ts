// SqlStore on real servers with the settings that they have by default. The other settings are in
// sql-contract-settings.test.ts.
import { sqlContractOn } from '../helpers/sql-contract-tests';

sqlContractOn({ kind: 'PostgreSQL', isolation: 'READ COMMITTED', rounds: 20 });
sqlContractOn({ kind: 'MariaDB', isolation: 'REPEATABLE READ', rounds: 20 });
