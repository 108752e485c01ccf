// An app whose strategies differ in their `validate`. POST /NAME uses the strategy of that name,
// for the user in the header `x-user`.
import {
  Controller,
  ForbiddenException,
  HttpException,
  Module,
  Post,
  Req,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import passport from 'passport';
import { BackupCodeStrategy, type BackupCodeInfo } from 'passport-backup-code';
import { backupCodes, users, type User } from './yours.js';

const currentUser = (req: Request): Promise<User | null> =>
  users.byId(String(req.headers['x-user']));
const options = { backupCodes, currentUser };
const called: string[] = [];

class UserAsGiven extends PassportStrategy(BackupCodeStrategy<User>, 'user-as-given') {
  constructor() {
    super(options);
  }
  validate(user: User): User {
    called.push(user.name);
    return user;
  }
}
class ByArity extends PassportStrategy(BackupCodeStrategy<User>, 'by-arity', true) {
  constructor() {
    super(options);
  }
  validate(user: User): User {
    return user;
  }
}
class WithRequest extends PassportStrategy(BackupCodeStrategy<User, true>, 'with-request') {
  constructor() {
    super({ ...options, passReqToCallback: true });
  }
  validate(req: Request, user: User, info: BackupCodeInfo): object {
    return { id: user.id, path: req.path, remaining: info.remaining };
  }
}
class UserAndInfo extends PassportStrategy(BackupCodeStrategy<User>, 'user-and-info') {
  constructor() {
    super(options);
  }
  // Nest spreads an array.
  validate(user: User): never {
    return [user, { note: 'extra', method: 'pwd' }] as never;
  }
}
class Refusing extends PassportStrategy(BackupCodeStrategy<User>, 'refusing') {
  constructor() {
    super(options);
  }
  validate(): null {
    return null;
  }
}
class Throwing extends PassportStrategy(BackupCodeStrategy<User>, 'throwing') {
  constructor() {
    super(options);
  }
  validate(): never {
    throw new ForbiddenException('your account is locked');
  }
}
// @ts-expect-error Nest's types require a validate.
class Without extends PassportStrategy(BackupCodeStrategy<User>, 'without') {
  constructor() {
    super(options);
  }
}

class AnyGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const name = String(context.switchToHttp().getRequest<Request>().params['name']);
    return Boolean(await new (guardOf(name))().canActivate(context));
  }
}

function guardOf(name: string): new () => CanActivate {
  return class extends AuthGuard(name === 'both' ? ['refusing', 'user-as-given'] : name) {
    override handleRequest<T>(
      error: unknown,
      user: T | false,
      info: object,
      _context: ExecutionContext,
      status: number | number[],
    ): T {
      if (error) throw error;
      if (!user)
        throw new HttpException(info, Array.isArray(status) ? Math.max(...status) : status);
      return user;
    }
  };
}

@Controller()
class Codes {
  @Post(':name')
  @UseGuards(AnyGuard)
  code(@Req() req: Request): unknown {
    return { user: req.user, info: req.authInfo, called: called.splice(0) };
  }
}

@Module({
  controllers: [Codes],
  providers: [UserAsGiven, ByArity, WithRequest, UserAndInfo, Refusing, Throwing, Without],
})
class AppModule {}

passport.use('no-mixin', new BackupCodeStrategy<User>(options));

async function bootstrap(): Promise<void> {
  const app = await NestFactory.create(AppModule);
  await app.listen(3000);
}
void bootstrap();
