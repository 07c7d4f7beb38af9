import type { CodeWords } from '../words.ts';
import { cross } from './cross.ts';

// biome-ignore format: a table
const THINGS = [
  'pedido', 'factura', 'recibo', 'reserva', 'envío', 'paquete', 'seguimiento', 'cliente', 'cuenta', 'socio',
  'referencia', 'ref', 'transacción', 'pago', 'contrato', 'serie', 'artículo', 'producto', 'billete', 'vuelo', 'tren',
  'asiento', 'habitación', 'póliza', 'expediente', 'ticket', 'orden', 'compra', 'rastreo', 'guía', 'albarán', 'caso',
  'solicitud', 'operación', 'tarjeta', 'teléfono', 'afiliado', 'matrícula', 'incidencia', 'localizador', 'folio',
  'confirmación de reserva', 'contador', 'identificación fiscal',
];

export const SPANISH: CodeWords = {
  strong: [
    ...cross(
      ['código', 'códigos', 'clave', 'pin', 'contraseña'],
      ' ',
      // biome-ignore format: a table
      [
        'de verificación', 'de seguridad', 'de acceso', 'de confirmación', 'de inicio de sesión', 'de autenticación',
        'de activación', 'de autorización', 'de un solo uso', 'de un uso', 'de uso único', 'único', 'única',
        'temporal', 'de validación', 'de identificación', 'de recuperación', 'de restablecimiento', 'dinámica',
        'de registro', 'otp', 'de desbloqueo',
      ],
    ),
    // biome-ignore format: a table
    ...[
      'código otp', 'clave otp', 'código sms', 'código de 4 dígitos', 'código de 6 dígitos', 'código de seis dígitos',
    ],
    ...['código de cuatro dígitos', 'código de 8 dígitos', 'contraseña de un solo uso', 'token de seguridad'],
  ],
  weak: ['código', 'códigos', 'clave', 'pin'],
  // biome-ignore format: a table
  actions: [
    'introduce', 'introduzca', 'introducir', 'ingresa', 'ingrese', 'ingresar', 'escribe', 'escriba', 'usa', 'use este',
    'utiliza', 'utilice', 'copia',
  ],
  // biome-ignore format: a table
  purposes: [
    'iniciar sesión', 'inicio de sesión', 'acceder', 'verificar', 'verificación', 'confirmar tu', 'confirmar su',
    'activar tu', 'activar su', 'completar', 'completar tu', 'restablecer', 'identidad', 'entrar en tu cuenta',
    'autenticación',
  ],
  names: [
    ...THINGS.flatMap((thing) =>
      ['número', 'n', 'no', 'nº', 'n.º', 'núm', 'código', 'id', 'clave'].flatMap((number) => [
        `${number} de ${thing}`,
        `${number} del ${thing}`,
        `${number} ${thing}`,
      ]),
    ),
    ...cross(THINGS, ' ', ['nº', 'n.º', 'número', 'núm', 'n°']),
    // biome-ignore format: a table
    ...[
      'código postal',  'c.p', 'código promocional', 'código de descuento', 'código descuento', 'cupón',
      'código de barras', 'código qr', 'código de error', 'código de país', 'código fuente', 'código de vestimenta',
      'código de invitación', 'código de referido', 'código amigo', 'código regalo', 'código swift', 'código bic',
      'código cupón', 'código de cupón', 'número de teléfono',      
      'llama al', 'llame al', 'llámanos', 'llámenos', 'al teléfono', 'atención al cliente', 'apartado de correos',
       'nif', 'cif', 'rfc', 'curp', 'dni', 'iban', 'clabe', 'terminada en', 'terminado en',
      'que termina en', 'acabada en', 'localizador', 'número de seguimiento',  'registro mercantil',
      'tomo', 'código de color', 'código de conducta', 'código civil', 'código de tienda',
    ],
  ],
  // biome-ignore format: a table
  things: [
    'teléfono', 'tel', 'tfno', 'telf', 'móvil', 'fax', 'cp', 'whatsapp', 'apartado', ...THINGS, 'número', 'total',
    'importe', 'saldo', 'suma', 'puntos', 'año', 'página', 'calle',
  ],
  // biome-ignore format: a table
  offers: [
    'descuento', 'cupón', 'promoción', 'envío gratis', 'carrito', 'cesta', 'rebajas', 'ahorra', 'en tu próxima compra',
    'canjea', 'canjear', 'oferta',
  ],
  meetings: ['id de reunión', 'id de la reunión', 'id de la conferencia'],
  // biome-ignore format: a table
  assurances: [
    'caduca', 'caducará', 'vence', 'expira', 'expirará', 'válido durante', 'es válido', 'válido por', 'no compartas',
    'no comparta', 'no lo compartas', 'no lo comparta', 'no has solicitado', 'no solicitaste', 'no ha solicitado',
    'no solicitó', 'ignora este', 'ignore este', 'no has sido tú', 'no fuiste tú', 'nadie',
  ],
};
