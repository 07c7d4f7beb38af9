import { describe, expect, it } from 'vitest';
import { CODE_LIMITS, findCodes } from '../../../src/mail/codes.ts';

function codesOf(mail: { subject?: string; text?: string; html?: string }): string[] {
  return findCodes({ subject: '', text: '', html: '', ...mail }).map(({ code }) => code);
}

describe('findCodes', () => {
  it.each([
    ['Your Uber code is 4821. Never share this code.', '4821'],
    ['Use 739201 as your login code', '739201'],
    ['Please use the verification code below to sign in.\n\n739201\n\nIf you did not request this', '739201'],
    ['Here is your one-time passcode for account access:\n\n**739201**\n', '739201'],
    ['Security code: 7392018\n\nThanks,\nThe account team', '7392018'],
    ['739201\n\nis your verification code for Acme', '739201'],
    ['Your PIN: 0042', '0042'],
    ['Confirmation code: 4F9K2', '4F9K2'],
    ['To finish, type 8842 into the app to verify your phone', '8842'],
    ['OTP for your transaction of INR 4,500.00 at FLIPMART is 482913. Valid till 10:32 PM.', '482913'],
    ['Dear user,\n482913 is the OTP for login', '482913'],
    ['Your Discord-like verification code\n\nWe need to make sure it is you.\n\nYour code:\n\n9 1 4 0 2 2\n', '914022'],
    ['Enter code FQ3-9KD on your TV', 'FQ3-9KD'],
    ['Copy and paste this temporary login code:\n\nX7B2-Q9LM', 'X7B2-Q9LM'],
    ['Your single-use code is: 1234567\n\nOnly enter this code on an official website', '1234567'],
    ['Passcode 20241105 for login', '20241105'],
    ['Your code is 2024', '2024'],
    ['G-204913 is your Googol verification code.', 'G-204913'],
    ['Dein Sicherheitscode lautet: 739 201', '739201'],
    ['Nutze den Code 482913, um dich anzumelden.', '482913'],
    ['482913 ist dein Facebuch-Bestätigungscode', '482913'],
    ['Ihre TAN für die Überweisung über 1.500,00 EUR lautet 482913', '482913'],
    ['Gib diesen Code ein, um deine E-Mail-Adresse zu bestätigen:\n\n482913', '482913'],
    ['Verifizierungscode\n\n482 913\n\nGültig für 10 Minuten', '482913'],
    ['Mit der PIN 48213 können Sie sich einloggen', '48213'],
    ['Votre code d’accès : 482913', '482913'],
    ['Voici votre code de connexion\n\n482913', '482913'],
    ['Utilisez le code 482 913 pour vous connecter.', '482913'],
    ['482913 est votre code de confirmation Truc', '482913'],
    ['Saisissez ce code pour vérifier votre adresse :\n\n4 8 2 9 1 3', '482913'],
    ['Su código de seguridad es: 482913', '482913'],
    ['Usa el código 482913 para iniciar sesión', '482913'],
    ['482913 es tu código de Instagrana', '482913'],
    ['Introduce este código para confirmar tu identidad\n\n482-913', '482913'],
    ['Clave dinámica: 482913', '482913'],
    ['【某某】您的验证码为482913，请于10分钟内输入', '482913'],
    ['验证码：\n482913\n请勿泄露', '482913'],
    ['您的登录验证码是 482913', '482913'],
    ['482913（动态验证码），您正在登录', '482913'],
    ['您好，您的注册校验码为：AB12CD。', 'AB12CD'],
    ['驗證碼：482913，請於 5 分鐘內輸入', '482913'],
    ['あなたの認証コードは482913です。', '482913'],
    ['確認コード：482-913', '482913'],
    ['482913 がワンタイムパスワードです', '482913'],
    ['以下の6桁のコードを入力してください。\n\n482913\n', '482913'],
    ['ログイン用コード\n【482913】', '482913'],
    ['セキュリティコード ４８２９１３ を入力', '482913'],
    [
      'Hi Mira,\n\nYour Slackish confirmation code\n\nWe have it below — enter it in your open browser window.\n\nXKQ-PLM\n\nIf you didn’t request this email',
      'XKQ-PLM',
    ],
    [
      'Someone tried to log in to your account.\n\nIf this was you, please use the following code to confirm your identity.\n\n482913\n',
      '482913',
    ],
    ['Verify your identity\n\nThe code below is needed.\n\nCode\n482913\nTime\n10:30\nDevice\nChrome 120', '482913'],
    ['Your authentication code is "482913".', '482913'],
    ['Code de vérification\n------------------\n482913\n------------------', '482913'],
    ['Verification code = [482913]', '482913'],
    ['Your Steamy Guard code:\n\nJ7QKD', 'J7QKD'],
    ['Here is your code: QJXWPT', 'QJXWPT'],
    ['You asked for a code to join us. It is 58210 and works until tomorrow.', '58210'],
    ['Tu código: 0071. No lo compartas.', '0071'],
  ])('finds the code in %j', (text, code) => {
    expect(codesOf({ text })).toEqual([code]);
    expect(codesOf({ html: `<p>${text.replaceAll('\n', '</p><p>')}</p>` })).toEqual([code]);
  });

  it.each([
    'Your order #123456 has shipped',
    'Order no. 482913 confirmed. Total 4821',
    'Invoice 482913',
    'Call us at 1-800-555-0199',
    'Tracking number: 9400110200881234567890',
    'ZIP code 90210',
    'Use promo code WELCOME10 to save',
    'Your discount code: SAVE2024',
    'In 2024 we served 15000 customers',
    'Copyright 2019-2024 Acme',
    'Flight BA2490 departs 18:45',
    'Room 1204, floor 12',
    'Meeting ID: 481 2049 2201\nPasscode: 992014',
    'Your account number is 48291375',
    'Gift card code: 4821-9930-2210',
    'Error code 50012: try again',
    'area code 4155',
    'QR code below\n\n20240501',
    'Your booking reference is QX7M4K',
    'Confirmation number: 48291375',
    'Your gutscheincode: SOMMER24',
    'Rechnungsnummer 482913',
    'Kundennummer: 4829137',
    'PLZ 10115 Berlin',
    'Code postal : 75008',
    'Numéro de commande : 482913',
    'Votre commande n°482913',
    'Code promo NOEL2024',
    'Número de pedido: 482913',
    'Pedido nº 482913',
    'Código postal 28013',
    'Código de descuento: AHORRA50',
    'Cupón 482913',
    '订单号：482913',
    '快递单号 482913',
    '优惠码：482913',
    '邮编：100000',
    '客服电话：95588',
    '注文番号：482913',
    '郵便番号 100-0001',
    'クーポンコード：482913',
    'お問い合わせ番号：482913',
    '電話番号：0312345678',
    '合計 48291 円',
    'Your tracking code is 48291375',
    'Version 2024.1 build 48291',
    'The source code has 48291 lines',
    'Use code BLACKFRIDAY for 30% off at checkout',
    'Code of conduct 2024',
    'Your verification is complete. Order total: 4821',
    'We never ask for your security code. Support: 4829137',
    'Your statement for account ending 4821 is ready',
    'Member since 2014, member no 482913',
    'https://x.example/verify?code=482913',
    'color: #482913;',
    'IBAN DE89370400440532013000',
    'Card 4111 1111 1111 1111',
    'Case 00482913 has been updated',
    'Ticket ID 482913',
    'Your ride: 4821 Elm Street at 10:45, driver plate 7ABC123',
    '[acme/repo] Fix code path (#4821)',
    'commit 4829137 fixes code review',
    'Reset your password with the link. Request 4829137 from IP 10.20.30.40',
    'Your appointment: 15.03.2026, 14:30 Uhr, Musterstraße 1204',
    'Steuernummer 21/815/08150',
    'RFC 8058 and RFC 5321 describe code',
    'Your delivery arrives. Door code? Reply. House 1204',
    'Your Acme gift card\n\nPIN 4821\n\nRedeem at checkout',
    '5 security code reviews merged, 1234 tests',
  ])('finds no code in %j', (text) => {
    expect(codesOf({ text })).toEqual([]);
    expect(codesOf({ subject: text.replaceAll('\n', ' ') })).toEqual([]);
  });

  it.each([
    [
      'cells',
      '<p>Your code</p><table><tr><td>4</td>\n<td>8</td><td> 2</td><td>9</td><td>1</td><td>3</td></tr></table>',
    ],
    ['spans', '<p>Your code</p><p><span>4</span><span>8</span><span>2</span><b>9</b><i>1</i>3</p>'],
    ['blocks', '<p>Your code</p><div>4</div><div>8</div><div>2</div><div>9</div><div>1</div><div>3</div>'],
    [
      'tables in cells',
      `<p>Your code</p><table><tr>${[...'482913'].map((d) => `<td><table><tr><td>${d}</td></tr></table></td>`).join('')}</tr></table>`,
    ],
    ['soft hyphens and zero-width blanks', '<p>Your code</p><p>482&shy;&#8203;913</p>'],
    ['full-width digits', '<p>Your code</p><p>４８２９１３</p>'],
    [
      'a font size reset inside one of nothing',
      '<table><tr><td style="font-size:0px"><div style="font-size:20px">Your code: 482913</div></td></tr></table>',
    ],
  ])('reads a code in %s', (_what, html) => {
    expect(codesOf({ html })).toEqual(['482913']);
  });

  it.each([
    ['display', '<div style="display:none">Your code: 482913</div>'],
    ['visibility', '<div style="visibility: hidden"><b>Your code: 482913</b></div>'],
    ['font size', '<span style="font-size:0">Your code: 482913</span>'],
    ['height', '<div style="max-height:0;overflow:hidden">Your code: 482913</div>'],
    ['opacity', '<div style="opacity:0">Your code: 482913</div>'],
    ['Outlook', '<div style="mso-hide:all">Your code: 482913</div>'],
    ['attribute', '<div hidden>Your code: 482913</div>'],
    ['class', '<style>.pre, #x{display:none !important}</style><div class="a pre">Your code: 482913</div>'],
    ['comment', '<!-- Your code: 482913 -->'],
    ['conditional comment', '<!--[if mso]><p>Your code: 482913</p><![endif]-->'],
    ['style', '<style>Your code: 482913</style>'],
    ['script', '<script>var s = "Your code: 482913"</script>'],
    ['title', '<title>Your code: 482913</title>'],
    ['attributes', '<p title="Your code: 482913">Your code</p><img alt="482913" src="482913.png">'],
    ['link', '<p>Your code</p><a href="https://x.example/?code=482913">https://x.example/?code=482913</a>'],
    ['colour', '<p>Your code</p><font color="#482913">color: #482913;</font>'],
  ])('passes over what a reader does not see: %s', (_what, html) => {
    expect(codesOf({ html })).toEqual([]);
  });

  it('goes on where something hidden ends, closed or not', () => {
    const html =
      '<style>@media (max-width:9px){.m{display:none}}</style><table><tr><td style="display:none">Your code: 111111<td>' +
      '<p style="display:none">Your code: 222222<p class="m">Your code: 482913</table>';
    expect(codesOf({ html })).toEqual(['482913']);
  });

  it('keeps letters and hyphens, joins groups of digits', () => {
    expect(codesOf({ text: 'Your code: AB7-K9Q' })).toEqual(['AB7-K9Q']);
    expect(codesOf({ text: 'Your code: G-482913' })).toEqual(['G-482913']);
    expect(codesOf({ text: 'Your code: 482 913' })).toEqual(['482913']);
    expect(codesOf({ text: 'Your code: 48–29–13' })).toEqual(['482913']);
    expect(codesOf({ text: 'Your code: 482\u2011913' })).toEqual(['482913']);
  });

  it('is surer of a code that subject, text and HTML have', () => {
    const text = 'Use 482913 to log in';
    const [once] = findCodes({ subject: '', text, html: '' });
    const [thrice] = findCodes({ subject: text, text, html: `<p>${text}</p>` });
    expect(thrice!.confidence).toBeGreaterThan(once!.confidence);
    expect(thrice!.confidence).toBeLessThanOrEqual(1);
  });

  it('gives a list of codes in its order', () => {
    const text = 'Your recovery codes:\n\n8213-5540\n1907-2265\n6650-3918\n\nKeep them safe.';
    expect(codesOf({ text })).toEqual(['82135540', '19072265', '66503918']);
  });

  it('reads words with and without accents, in any case, broken over lines', () => {
    expect(codesOf({ text: 'VOTRE CODE DE VERIFICATION EST 482913' })).toEqual(['482913']);
    expect(codesOf({ text: 'tu codigo de verificacion: 482913' })).toEqual(['482913']);
    const text =
      'We received a request to sign in to your account, so here is your one-time\npassword, which is 482913.';
    expect(codesOf({ text })).toEqual(['482913']);
  });

  it('shows the text around, white space collapsed, at most 160 characters', () => {
    const [code] = findCodes({
      subject: '',
      text: `${'word '.repeat(99)}your  code\tis 482913. ${'more '.repeat(99)}`,
      html: '',
    });
    expect(code!.context).toContain('your code is 482913.');
    expect(code!.context.length).toBeLessThanOrEqual(CODE_LIMITS.contextCharacters);
    const [alone] = findCodes({ subject: '', text: 'Your code:\n\n482913\n\nBye', html: '' });
    expect(alone!.context).toBe('Your code: 482913 Bye');
  });
});
