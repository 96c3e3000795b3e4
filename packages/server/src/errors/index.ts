export {
  AppError,
  type AppErrorOptions,
  type FieldFault,
  hasErrorCode,
} from './app-error.ts';
export { defineErrors, findErrorEntry, listErrorEntries } from './catalogue.ts';
export { requestErrors } from './request-errors.ts';
