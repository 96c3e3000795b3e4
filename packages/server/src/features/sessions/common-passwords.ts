/**
 * What guessing programs try first: passwords, and the words that people make passwords from, found at the top of
 * every published list of leaked passwords. Lower case, six letters or more, without the runs (`123456`,
 * `qwerty`) that the rules find by themselves.
 */
const WORDS = `
  password passwort passcode passphrase motdepasse contrasena senha123 parola wachtwoord haslo123
  administrator administrador adminadmin superuser sysadmin webmaster operator default changeme changeit
  letmein welcome welkom bienvenue willkommen benvenuto welcome1 login123 signin access secret secreto geheim
  master mastermind trustno1 iloveyou iloveu ilovegod loveyou lovely lovelove teamo sweetheart sweetie darling
  princess princesa prinzessin sunshine sonnenschein rainbow flower flowers butterfly blossom sunflower
  monkey dragon tigger tiger1 lionking panther leopard elephant dolphin penguin buster hunter ranger
  shadow phoenix falcon eagles ravens hornets cowboys packers steelers yankees redsox lakers rangers
  football soccer baseball basketball hockey tennis golfer liverpool chelsea arsenal barcelona realmadrid juventus
  manchester manunited everton celtic corinthians flamengo palmeiras santos boca benfica
  michael michelle jennifer jessica jordan ashley daniel andrew joshua matthew robert thomas william
  charlie george martin nicole amanda samantha victoria elizabeth alexander anthony christian benjamin
  patrick richard edward stephanie hannah natalie melissa brandon justin austin dakota madison
  maggie pepper ginger cookie peanut bailey snoopy garfield mickey minnie pokemon pikachu doraemon
  superman batman spiderman ironman starwars skywalker darthvader gandalf hobbit matrix terminator startrek
  computer internet samsung microsoft windows google facebook twitter instagram linkedin youtube amazon apple123
  mustang corvette ferrari porsche mercedes harley yamaha suzuki toyota honda camaro
  killer hacker hackme badboy badass fuckyou fuckme asshole bitch pussy biteme whatever nothing
  summer winter spring autumn fruhling sommer herbst january february march2 april1 august september october november december
  monday tuesday wednesday thursday friday saturday sunday
  cheese chocolate banana orange cherry strawberry apple1 coffee pizza burger
  freedom america england london paris berlin tokyo sakura nippon japan arigato
  blink182 metallica nirvana slipknot eminem beatles linkinpark
  diamond silver golden purple yellow orange1 black1 white1 forever friends family mother father
  jesus1 jesuschrist blessed heaven angel1 angels faith1 church bible1
  abc123 aa123456 a1b2c3d4 pass1234 test1234 testtest tester testing guest1 demo1234 sample example temporary temp1234
  correcthorsebatterystaple correct horse battery staple
  woaini wodemima zhongguo caonima nihao taobao admin root123 toor123 user123 server database oracle mysql postgres
  security secure private public system network router cisco linksys netgear ubnt support service company business office
`;

export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  WORDS.split(/\s+/).filter((word) => word !== ''),
);
