import { command, heading, literal, plain, type SnippetContext, type SnippetPart, secret } from './parts.ts';
import { jsonInSingleQuotes, shellAddress } from './quoting.ts';

/** The sample that users of `/iam/login` know, its address and key filled in. */
export function curlSnippet(context: SnippetContext): readonly SnippetPart[] {
  const { url, apiKey, isFromEnvironment, words } = context;
  return [
    heading(context, '#', words.exchange),
    command('curl'),
    plain(' --request POST \\\n  --url '),
    literal(shellAddress(`${url}/iam/login`)),
    plain(' \\\n  --data '),
    literal(`'{\n    "auth_mode": "apikey",\n    "apikey": `),
    ...(isFromEnvironment
      ? // Out of the single quotes and into double ones, so that the shell puts in the value as one word.
        [literal(`"'"$KEYREEVE_API_KEY"'",\n    "secretkey": "'"$KEYREEVE_SECRET_KEY"'"`)]
      : [literal(`${jsonInSingleQuotes(apiKey)},\n    "secretkey": "`), secret('secretKey'), literal('"')]),
    literal("\n}'"),
  ];
}

export function pythonSnippet(context: SnippetContext): readonly SnippetPart[] {
  const { url, apiKey, isFromEnvironment, words } = context;
  return [
    heading(context, '#', words.exchange),
    command('import'),
    ...(isFromEnvironment ? [plain(' os\n\n'), command('import')] : []),
    plain(' requests\n\nurl = '),
    literal(JSON.stringify(`${url}/iam/login`)),
    plain('\n\npayload = {\n  '),
    literal('"auth_mode"'),
    plain(': '),
    literal('"apikey"'),
    plain(',\n  '),
    literal('"apikey"'),
    plain(': '),
    ...(isFromEnvironment
      ? [plain('os.environ['), literal('"KEYREEVE_API_KEY"'), plain(']')]
      : [literal(JSON.stringify(apiKey))]),
    plain(',\n  '),
    literal('"secretkey"'),
    plain(': '),
    ...(isFromEnvironment
      ? [plain('os.environ['), literal('"KEYREEVE_SECRET_KEY"'), plain(']')]
      : [literal('"'), secret('secretKey'), literal('"')]),
    plain('\n}\n\nresponse = requests.request('),
    literal('"POST"'),
    plain(', url, data=payload)\n\nprint(response.text)'),
  ];
}

export function javascriptSnippet(context: SnippetContext): readonly SnippetPart[] {
  const { url, apiKey, isFromEnvironment, words } = context;
  return [
    heading(context, '//', words.exchange),
    command('const'),
    plain(' response = '),
    command('await'),
    plain(' fetch('),
    literal(JSON.stringify(`${url}/iam/login`)),
    plain(', {\n  method: '),
    literal('"POST"'),
    plain(',\n  headers: { '),
    literal('"content-type"'),
    plain(': '),
    literal('"application/json"'),
    plain(' },\n  body: JSON.stringify({\n    auth_mode: '),
    literal('"apikey"'),
    plain(',\n    apikey: '),
    isFromEnvironment ? plain('process.env.KEYREEVE_API_KEY') : literal(JSON.stringify(apiKey)),
    plain(',\n    secretkey: '),
    ...(isFromEnvironment
      ? [plain('process.env.KEYREEVE_SECRET_KEY')]
      : [literal('"'), secret('secretKey'), literal('"')]),
    plain(',\n  }),\n});\n\nconsole.log('),
    command('await'),
    plain(' response.text());'),
  ];
}
