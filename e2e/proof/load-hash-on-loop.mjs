// The negative control of everything about the event loop: passwords are hashed on it, as with a library that knows no
// threads. Loaded before the server, whose own import then finds these functions.
import { createRequire } from 'node:module';

const argon2 = createRequire(process.env.SABOTAGED_FROM)('@node-rs/argon2');

argon2.hash = async (...args) => argon2.hashSync(...args);
argon2.verify = async (...args) => argon2.verifySync(...args);
